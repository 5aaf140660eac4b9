import { addDays } from '../../ui/time.ts';
import { instantOf } from '../../ui/zone-clock.ts';

/** As the page's address has them; the days are of the zone that is shown, the last one is in it. */
export const FILTERS = ['user', 'action', 'target', 'from', 'to'] as const;
export type AuditFilter = Partial<Record<(typeof FILTERS)[number], string>>;

export function filterOf(params: URLSearchParams): AuditFilter {
  const given = FILTERS.flatMap((name) => {
    const value = (params.get(name) ?? '').trim();
    return value === '' ? [] : [[name, value] as const];
  });
  return Object.fromEntries(given);
}

/** What the API is asked. */
export function queryOf({ from, to, ...others }: AuditFilter, zone: string): AuditFilter {
  const startOf = (day: string): string =>
    new Date(instantOf(Date.parse(`${day}T00:00:00Z`), zone)).toISOString();
  return {
    ...others,
    ...(from === undefined ? {} : { from: startOf(from) }),
    ...(to === undefined ? {} : { to: startOf(addDays(to, 1)) }),
  };
}
