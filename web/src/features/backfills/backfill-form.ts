import type { components } from '../../api/schema.gen.ts';
import { datesIn } from './backfill-range.ts';

export const SCOPE_MODES = ['workflow', 'nodes', 'downstream', 'chain'] as const;
export type ScopeMode = (typeof SCOPE_MODES)[number];

export const MAX_RANGES = 7;
export const MAX_PARALLELISM = 50;

export interface DateRange {
  readonly from: string;
  readonly to: string;
}

/** What the form holds. */
export interface BackfillForm {
  readonly ranges: readonly DateRange[];
  readonly order: 'asc' | 'desc';
  readonly parallelism: number;
  readonly mode: ScopeMode;
  /** Whether what is below, or between, is looked for in other workflows too. */
  readonly acrossWorkflows: boolean;
  /** The nodes of the scope; of a chain its start nodes. */
  readonly nodes: readonly string[];
  /** Of a chain. */
  readonly endNodes: readonly string[];
  /** Beside those of the scope. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly only: 'all' | 'missing' | 'failed';
  /** Of what is missing: whether recorded outputs are looked for at their data sources. */
  readonly checkSource: boolean;
  /** Of nodes with several cycles a day those within; `HH:MM`, both empty: all. */
  readonly hours: TimeRange;
  /** Work is handed out at this time of day only; `HH:MM`, both empty: always. */
  readonly window: TimeRange;
  /** Name; `null`: the nodes' own. */
  readonly resourceGroup: string | null;
  /** Empty: the nodes' own. */
  readonly priority: number | string;
  /** Dates to come are allowed, and nothing waits for its scheduled time. */
  readonly runFutureNow: boolean;
}

export interface TimeRange {
  readonly from: string;
  readonly to: string;
}

export type PlanRequest = components['schemas']['BackfillPlanRequest'];

/** Why the form cannot be sent yet; `undefined`: it can. */
export function lackOf(
  form: BackfillForm,
  last: string,
): 'range' | 'future' | 'nodes' | 'times' | undefined {
  if (form.ranges.some(({ from, to }) => datesIn(from, to) === 0)) return 'range';
  if (!form.runFutureNow && form.ranges.some(({ to }) => to > last)) return 'future';
  if ([form.hours, form.window].some(isHalf)) return 'times';
  if (form.mode !== 'workflow' && form.nodes.length === 0) return 'nodes';
  if (form.mode === 'chain' && form.endNodes.length === 0) return 'nodes';
  return undefined;
}

function isHalf({ from, to }: TimeRange): boolean {
  return (from === '') !== (to === '');
}

/** Business dates of all ranges, each once. */
export function datesOf(ranges: readonly DateRange[]): number {
  const ascending = [...ranges]
    .filter(({ from, to }) => datesIn(from, to) > 0)
    .sort((a, b) => (a.from < b.from ? -1 : 1));
  let count = 0;
  let last = '';
  for (const { from, to } of ascending) {
    if (to <= last) continue;
    count += datesIn(from, to) - (from <= last ? datesIn(from, last) : 0);
    last = to;
  }
  return count;
}

export function requestOf(workflow: string, form: BackfillForm): PlanRequest {
  const {
    ranges,
    order,
    parallelism,
    include,
    exclude,
    only,
    hours,
    window,
    resourceGroup,
    priority,
  } = form;
  return {
    workflow,
    ranges: ranges.map((range) => ({ ...range })),
    order,
    parallelism,
    scope: scopeOf(form),
    include: form.mode === 'workflow' ? [] : [...include],
    exclude: [...exclude],
    only,
    ...(only === 'missing' && form.checkSource ? { checkSource: true } : {}),
    ...(hours.from === '' ? {} : { hours: { ...hours } }),
    ...(window.from === '' ? {} : { window: { ...window } }),
    ...(resourceGroup === null ? {} : { resourceGroup }),
    ...(priority === '' ? {} : { priority: Number(priority) }),
    ...(form.runFutureNow ? { runFutureNow: true } : {}),
  };
}

function scopeOf({
  mode,
  nodes,
  endNodes,
  acrossWorkflows,
}: BackfillForm): components['schemas']['BackfillScope'] {
  const across = acrossWorkflows ? { acrossWorkflows } : {};
  switch (mode) {
    case 'workflow':
      return { mode };
    case 'chain':
      return { mode, from: [...nodes], to: [...endNodes], ...across };
    case 'nodes':
      return { mode, nodes: [...nodes] };
    case 'downstream':
      return { mode, nodes: [...nodes], ...across };
  }
}
