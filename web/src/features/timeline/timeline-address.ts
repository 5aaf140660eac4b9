import { VISIBLE_STATES, type VisibleState, visibleStateOf } from '../../ui/visible-state.ts';
import { type Grouping, GROUPINGS, type TimelineFilter } from './timeline-filter.ts';
import type { ViewWindow } from './view-window.ts';

/** What the page shows, as its address says it. Filters have the names that the API gives them. */
export interface TimelineAddress {
  readonly filter: TimelineFilter;
  readonly grouping: Grouping;
  readonly states: readonly VisibleState[];
  readonly isEveryBar: boolean;
  readonly isTable: boolean;
  readonly view: ViewWindow | undefined;
  readonly instance: string | null;
  readonly tab: string | null;
}

/** Names of query parameters that narrow what is shown; `Clear filters` takes them away. */
export const FILTER_PARAMETERS = [
  'state',
  'status',
  'workflow',
  'nodeType',
  'resourceGroup',
  'runGroupKind',
  'runGroup',
  'q',
] as const;

/** Reads the address; without a business date and a window it shows `bizdate`. */
export function addressOf(params: URLSearchParams, bizdate: string): TimelineAddress {
  const list = (name: string): string[] => (params.get(name) ?? '').split(',').filter(Boolean);
  const window = windowOf(params);
  return {
    filter: {
      ...(window === undefined
        ? { bizdate: dateOf(params.get('bizdate')) ?? bizdate }
        : { window }),
      workflows: list('workflow'),
      nodeTypes: list('nodeType'),
      resourceGroups: list('resourceGroup'),
      kinds: list('runGroupKind'),
      runGroup: params.get('runGroup') ?? '',
      text: params.get('q') ?? '',
    },
    grouping: GROUPINGS.find((each) => each === params.get('groupBy')) ?? 'workflow',
    states: statesOf(list('state'), list('status')),
    isEveryBar: params.get('lod') === 'bars',
    isTable: params.get('view') === 'table',
    view: viewOf(params.get('zoom')),
    instance: params.get('inst'),
    tab: params.get('tab'),
  };
}

/** Lists of instances are filtered by statuses, and links from there have them. */
function statesOf(states: readonly string[], statuses: readonly string[]): VisibleState[] {
  const wanted = new Set([...states, ...statuses.map((status) => visibleStateOf({ status }))]);
  return VISIBLE_STATES.filter((state) => wanted.has(state));
}

function dateOf(text: string | null): string | undefined {
  if (text === null || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  return Number.isNaN(Date.parse(text)) ? undefined : text;
}

function windowOf(params: URLSearchParams): TimelineFilter['window'] {
  const from = Date.parse(params.get('from') ?? '');
  const to = Date.parse(params.get('to') ?? '');
  return from < to ? { from, to } : undefined;
}

/** `zoom=<from>_<to>`, epoch ms. */
function viewOf(text: string | null): ViewWindow | undefined {
  const [from = NaN, to = NaN] = (text ?? '').split('_').map(Number);
  return from < to ? { from, to } : undefined;
}

export function zoomText({ from, to }: ViewWindow): string {
  return `${Math.round(from)}_${Math.round(to)}`;
}

/** The query of the API. */
export function queryOf(filter: TimelineFilter, grouping: Grouping) {
  const list = (values: readonly string[]): string | undefined =>
    values.length === 0 ? undefined : values.join(',');
  const optional = {
    workflow: list(filter.workflows),
    nodeType: list(filter.nodeTypes),
    resourceGroup: list(filter.resourceGroups),
    runGroupKind: list(filter.kinds),
    runGroup: filter.runGroup === '' ? undefined : filter.runGroup,
    q: filter.text === '' ? undefined : filter.text,
    bizdate: filter.bizdate,
    from: filter.window && new Date(filter.window.from).toISOString(),
    to: filter.window && new Date(filter.window.to).toISOString(),
  };
  const given = Object.entries(optional).filter(([, value]) => value !== undefined);
  return { groupBy: grouping, ...(Object.fromEntries(given) as Record<string, string>) };
}
