import type { InstanceChange, InstanceTimes } from './instance-change.ts';

export const GROUPINGS = ['workflow', 'nodeType', 'resourceGroup'] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** What the API was asked for, without the status filter. */
export interface TimelineFilter {
  readonly bizdate?: string;
  /** Epoch ms: either this or a business date. */
  readonly window?: { readonly from: number; readonly to: number };
  /** Ids or names. */
  readonly workflows: readonly string[];
  readonly nodeTypes: readonly string[];
  readonly resourceGroups: readonly string[];
  readonly kinds: readonly string[];
  /** The id of a backfill or another run group; empty where all are shown. */
  readonly runGroup: string;
  readonly text: string;
}

/**
 * Whether the instance of a change is among those asked for; `unknown` where the event alone does not
 * tell (names are not in it), so that only another request can.
 */
export function isAskedFor(
  filter: TimelineFilter,
  change: InstanceChange,
  times: InstanceTimes,
): boolean | 'unknown' {
  const { window, workflows, nodeTypes, resourceGroups, kinds, runGroup } = filter;
  if (filter.bizdate !== undefined && filter.bizdate !== change.bizdate) return false;
  if (window !== undefined && !touches(window, change.run, times.ended)) return false;
  if (!isIn(nodeTypes, change.nodeType) || !isIn(resourceGroups, change.resourceGroup))
    return false;
  if (!isIn(kinds, change.runGroupKind)) return false;
  if (runGroup !== '' && runGroup !== change.runGroup) return false;
  if (filter.text !== '') return 'unknown';
  if (isIn(workflows, change.workflow)) return true;
  return workflows.every((each) => each.startsWith('wf_')) ? false : 'unknown';
}

function touches(
  window: { readonly from: number; readonly to: number },
  run: number,
  ended: number,
): boolean {
  return run < window.to && (Number.isNaN(ended) || ended >= window.from);
}

function isIn(wanted: readonly string[], value: string): boolean {
  return wanted.length === 0 || wanted.includes(value);
}

/** The group of the timeline that the instance of a change is in. */
export function groupKeyOf(grouping: Grouping, change: InstanceChange): string {
  return change[grouping];
}
