import { type Bizdate, bizdateRange, parseBizdate } from '../calendar/bizdate.js';
import { MillraceError } from '../errors.js';
import type { BackfillRequest } from './backfill-request.js';

export const MAX_BACKFILL_RANGES = 7;
export const MAX_BACKFILL_DATES = 3660;

/**
 * The business dates of a backfill, each once, in its order. MR-S130 for more than seven ranges, for a range
 * that ends before it begins, for none or too many dates.
 */
export function backfillDates(
  request: Pick<BackfillRequest, 'ranges' | 'dates' | 'order'>,
): Bizdate[] {
  const { ranges = [], dates = [], order } = request;
  if (ranges.length > MAX_BACKFILL_RANGES)
    throw refused('/ranges', `${ranges.length} ranges; at most ${MAX_BACKFILL_RANGES} are taken`);
  const found = new Set(dates.map(parseBizdate));
  for (const [at, { from, to }] of ranges.entries()) {
    const range = bizdateRange(parseBizdate(from), parseBizdate(to));
    if (range.length === 0) throw refused(`/ranges/${at}`, `${to} is before ${from}`);
    if (range.length > MAX_BACKFILL_DATES) throw tooMany(range.length);
    for (const bizdate of range) found.add(bizdate);
  }
  if (found.size === 0) throw refused('/ranges', 'no business date is asked for');
  if (found.size > MAX_BACKFILL_DATES) throw tooMany(found.size);
  const ascending = [...found].sort();
  return order === 'asc' ? ascending : ascending.reverse();
}

function tooMany(count: number): MillraceError {
  return refused('/ranges', `${count} business dates; at most ${MAX_BACKFILL_DATES} are taken`);
}

function refused(pointer: string, detail: string): MillraceError {
  return new MillraceError('MR-S130', `${detail}.`, { errors: [{ pointer, detail }] });
}
