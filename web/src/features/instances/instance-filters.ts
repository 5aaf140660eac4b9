import type { VisibleState } from '../../ui/visible-state.ts';
import type { Status } from './instances-api.ts';

/** The states that the list can be narrowed to, each with the statuses it stands for. */
const STATE_FILTERS = {
  upstream: ['waiting_upstream'],
  time: ['waiting_time'],
  resource: ['waiting_resource', 'gated'],
  running: ['dispatched', 'running', 'checking', 'checking_condition'],
  retry: ['retry_wait'],
  succeeded: ['succeeded'],
  failed: ['failed'],
  cancelled: ['cancelled'],
} as const satisfies Partial<Record<VisibleState, readonly Status[]>>;
type StateFilter = keyof typeof STATE_FILTERS;
export const STATE_FILTER_NAMES = Object.keys(STATE_FILTERS) as StateFilter[];

export const RUN_GROUP_KINDS = ['scheduled', 'test', 'backfill', 'manual'] as const;

/** The filters under the names that the API has, which are the names in the page's address too. */
export const FILTER_NAMES = [
  'status',
  'bizdate',
  'workflow',
  'q',
  'nodeType',
  'runGroupKind',
  'resourceGroup',
  'frozen',
  'upstreamFailed',
  'runGroup',
] as const;
export type FilterName = (typeof FILTER_NAMES)[number];
export type InstanceFilters = Partial<Record<FilterName, string>>;

/** The filters in an address; what is empty is none. */
export function filtersOf(params: URLSearchParams): InstanceFilters {
  const filters: InstanceFilters = {};
  for (const name of FILTER_NAMES) {
    const value = params.get(name);
    if (value !== null && value !== '') filters[name] = value;
  }
  return filters;
}

export function isFiltered(filters: InstanceFilters): boolean {
  return Object.keys(filters).length > 0;
}

/** Whether every status of the state is asked for. */
export function isStateChosen(filters: InstanceFilters, state: StateFilter): boolean {
  const chosen = new Set(filters.status?.split(','));
  return STATE_FILTERS[state].every((status) => chosen.has(status));
}

/** The value of `status` with the state turned on or off; `undefined` when none is left. */
export function toggleState(filters: InstanceFilters, state: StateFilter): string | undefined {
  const chosen = new Set(filters.status?.split(','));
  const isOn = isStateChosen(filters, state);
  for (const status of STATE_FILTERS[state]) {
    if (isOn) chosen.delete(status);
    else chosen.add(status);
  }
  return chosen.size === 0 ? undefined : [...chosen].join(',');
}

/** How many instances have the state, by the counts of the statuses. */
export function countOf(
  counts: Readonly<Record<string, number>> | undefined,
  state: StateFilter,
): number | undefined {
  if (counts === undefined) return undefined;
  return STATE_FILTERS[state].reduce((sum, status) => sum + (counts[status] ?? 0), 0);
}
