import { addDays } from '../../ui/time.ts';

const DAY_MS = 86_400_000;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

/** How many business dates `from` to `to` are, both included; 0 when it is no range. */
export function datesIn(from: string, to: string): number {
  if (!DATE.test(from) || !DATE.test(to)) return 0;
  const days = (Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY_MS;
  return Number.isNaN(days) || days < 0 ? 0 : days + 1;
}

/** The last seven business dates up to `last`. */
export function lastWeek(last: string): { readonly from: string; readonly to: string } {
  return { from: addDays(last, -6), to: last };
}

/** What a backfill was asked for, as far as it can be read. */
export interface BackfillSpec {
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly order: string | undefined;
  /** API id of the workflow. */
  readonly workflow: string | undefined;
}

export function specOf(raw: unknown): BackfillSpec {
  const spec: Readonly<Record<string, unknown>> =
    typeof raw === 'object' && raw !== null ? { ...raw } : {};
  const text = (key: string): string | undefined =>
    typeof spec[key] === 'string' ? spec[key] : undefined;
  const id = spec['workflowId'];
  return {
    from: text('from'),
    to: text('to'),
    order: text('order'),
    workflow: typeof id === 'number' ? `wf_${id}` : undefined,
  };
}

export interface Progress {
  readonly total: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Failed or cancelled or succeeded: nothing more comes of it by itself. */
  readonly ended: number;
}

/** How far a backfill is, from its instances by status. */
export function progressOf(statuses: Readonly<Record<string, number>>): Progress {
  const of = (status: string): number => statuses[status] ?? 0;
  return {
    total: Object.values(statuses).reduce((sum, count) => sum + count, 0),
    succeeded: of('succeeded'),
    failed: of('failed'),
    ended: of('succeeded') + of('failed') + of('cancelled'),
  };
}

/** Is something of it still to come? */
export function isLive(state: string): boolean {
  return state === 'running' || state === 'paused' || state === 'cancelling';
}
