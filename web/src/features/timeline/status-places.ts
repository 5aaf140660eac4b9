import { VISIBLE_STATES, type VisibleState, visibleStateOf } from '../../ui/visible-state.ts';

/** The place of each visible state in {@link VISIBLE_STATES}: what the typed arrays hold. */
export const PLACE_OF_STATE = Object.fromEntries(
  VISIBLE_STATES.map((state, place) => [state, place]),
) as Readonly<Record<VisibleState, number>>;

/** The visible state of an instance, as a place. */
export function placeOf(status: string, isFrozen: boolean, isDryRun: boolean): number {
  return PLACE_OF_STATE[visibleStateOf({ status, frozen: isFrozen, dryRun: isDryRun })];
}

/** Statuses that a person sees as one of `states`, for the API. A frozen instance may be in any. */
export function statusesOf(states: readonly VisibleState[], statuses: readonly string[]): string[] {
  const wanted = new Set(states);
  if (wanted.has('frozen')) return [...statuses];
  return statuses.filter(
    (status) =>
      wanted.has(visibleStateOf({ status })) || (status === 'succeeded' && wanted.has('dryRun')),
  );
}
