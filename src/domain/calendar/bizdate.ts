import { MillraceError } from '../errors.js';
import { addDays, dayOfDate, isLocalDate } from './local-date.js';
import type { LocalDate } from './local-date.js';
import { localOf } from './zone.js';

declare const bizdateBrand: unique symbol;

/** The business date, `YYYY-MM-DD`: the day before the run day. Strings compare in time order. */
export type Bizdate = string & { readonly [bizdateBrand]: true };

/** Throws MR-A101 unless `text` is a day that exists, written `YYYY-MM-DD`. */
export function parseBizdate(text: string): Bizdate {
  if (!isBizdate(text)) {
    throw new MillraceError('MR-A101', `"${text}" is not a business date; write it as 2026-11-21`);
  }
  return text;
}

export function isBizdate(text: string): text is Bizdate {
  return isLocalDate(text);
}

export function plusDays(bizdate: Bizdate, days: number): Bizdate {
  return parseBizdate(addDays(bizdate, days));
}

export function minusDays(bizdate: Bizdate, days: number): Bizdate {
  return plusDays(bizdate, -days);
}

/** Days from `from` to `to`; negative when `to` is earlier. */
export function daysBetween(from: Bizdate, to: Bizdate): number {
  return dayOfDate(to) - dayOfDate(from);
}

export function compareBizdates(a: Bizdate, b: Bizdate): -1 | 0 | 1 {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Both ends included, ascending; empty when `to` is before `from`. */
export function bizdateRange(from: Bizdate, to: Bizdate): Bizdate[] {
  return Array.from({ length: Math.max(0, daysBetween(from, to) + 1) }, (_, i) =>
    plusDays(from, i),
  );
}

/** The local day on which a business date runs: the day after it. */
export function runDayOf(bizdate: Bizdate): LocalDate {
  return addDays(bizdate, 1);
}

/** The business date of what is scheduled at `instant`: the local day before. */
export function bizdateOf(instant: Date, zone: string): Bizdate {
  return parseBizdate(addDays(localOf(instant, zone).date, -1));
}

/** The newest business date whose day is over: yesterday in `zone`. */
export function lastBizdate(now: Date, zone: string): Bizdate {
  return bizdateOf(now, zone);
}
