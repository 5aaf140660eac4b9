import { MillraceError } from '../errors.js';
import { dateOfDay, dayOfDate } from './local-date.js';
import type { LocalDate } from './local-date.js';

/** A wall-clock time, `HH:MM:SS`. */
export type LocalTime = string;

/** `fold` is 1 for the second of two instants that show the same wall clock. */
export interface LocalDateTime {
  readonly date: LocalDate;
  readonly time: LocalTime;
  readonly fold: 0 | 1;
}

/**
 * What a wall clock means in a zone. `gap`: it never shows; `resumesAt` is the first instant after the
 * skipped time, `shifted` the wall time moved on by the length of the gap. `fold`: it shows twice.
 */
export type ZonedInstant =
  | { readonly kind: 'instant'; readonly instant: Date }
  | { readonly kind: 'gap'; readonly resumesAt: Date; readonly shifted: Date }
  | { readonly kind: 'fold'; readonly first: Date; readonly second: Date };

/** One UTC day of a zone: the offset changes from `before` to `after` at `at`, or never (`at` = day end). */
interface ZoneDay {
  readonly before: number;
  readonly after: number;
  readonly at: number;
}
interface Zone {
  readonly formatter: Intl.DateTimeFormat;
  readonly days: Map<number, ZoneDay>;
}

const DAY_MS = 86_400_000;
const FIRST_MS = dayOfDate('1000-01-02') * DAY_MS;
const LAST_MS = dayOfDate('9999-12-30') * DAY_MS;
const MAX_CACHED_DAYS = 20_000;
const zones = new Map<string, Zone>();

export function isZone(name: string): boolean {
  try {
    zoneOf(name);
    return true;
  } catch {
    return false;
  }
}

/** Throws MR-S105 for an unknown zone, RangeError for a date or time that is not well formed. */
export function zonedToInstant(date: LocalDate, time: LocalTime, zone: string): ZonedInstant {
  const local = dayOfDate(date) * DAY_MS + msOfTime(time);
  const state = zoneOf(zone);
  // A day to either side is beyond every offset, so one of the two is in force at the wall time.
  const before = offsetAt(local - DAY_MS, state);
  const after = offsetAt(local + DAY_MS, state);
  const early = local - before;
  const late = local - after;
  const earlyFits = offsetAt(early, state) === before;
  if (before === after) return { kind: 'instant', instant: new Date(early) };
  const lateFits = offsetAt(late, state) === after;
  if (earlyFits && lateFits)
    return { kind: 'fold', first: new Date(early), second: new Date(late) };
  if (earlyFits) return { kind: 'instant', instant: new Date(early) };
  if (lateFits) return { kind: 'instant', instant: new Date(late) };
  return {
    kind: 'gap',
    resumesAt: new Date(changeBetween(local - DAY_MS, local + DAY_MS, state)),
    shifted: new Date(early),
  };
}

/** The wall clock of `zone` at an instant, to the second. Throws MR-S105 for an unknown zone, RangeError outside of 1000 to 9999. */
export function localOf(instant: Date, zone: string): LocalDateTime {
  const state = zoneOf(zone);
  const ms = Math.floor(instant.getTime() / 1000) * 1000;
  // Intl drops the sign of years before 1, which would come back as a day of our own era.
  if (!(ms >= FIRST_MS && ms <= LAST_MS))
    throw new RangeError('the year is not within 1000 to 9999');
  const offset = offsetAt(ms, state);
  const local = ms + offset;
  const day = Math.floor(local / DAY_MS);
  const earlier = offsetAt(local - DAY_MS, state);
  const isSecond = earlier > offset && offsetAt(local - earlier, state) === earlier;
  return { date: dateOfDay(day), time: timeOfMs(local - day * DAY_MS), fold: isSecond ? 1 : 0 };
}

function zoneOf(name: string): Zone {
  const known = zones.get(name);
  if (known !== undefined) return known;
  let formatter: Intl.DateTimeFormat;
  try {
    formatter = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
  } catch (cause) {
    const detail = `"${name}" is not a time zone; write it as Asia/Shanghai or UTC`;
    throw new MillraceError('MR-S105', detail, { cause });
  }
  const zone: Zone = { formatter, days: new Map() };
  zones.set(name, zone);
  return zone;
}

/** Local time minus UTC in ms. Intl takes some 5 us a call, so each UTC day is looked up once. */
function offsetAt(ms: number, zone: Zone): number {
  const day = dayAt(Math.floor(ms / DAY_MS), zone);
  return ms < day.at ? day.before : day.after;
}

function dayAt(dayNo: number, zone: Zone): ZoneDay {
  const known = zone.days.get(dayNo);
  if (known !== undefined) return known;
  if (zone.days.size >= MAX_CACHED_DAYS) zone.days.clear();
  const start = dayNo * DAY_MS;
  const before = readOffset(start, zone);
  const after = readOffset(start + DAY_MS, zone);
  let [low, high] = [start, start + DAY_MS];
  while (before !== after && high - low > 1000) {
    const middle = low + Math.floor((high - low) / 2000) * 1000;
    if (readOffset(middle, zone) === before) low = middle;
    else high = middle;
  }
  const day = { before, after, at: high };
  zone.days.set(dayNo, day);
  return day;
}

function changeBetween(from: number, to: number, zone: Zone): number {
  for (let dayNo = Math.floor(from / DAY_MS); dayNo * DAY_MS <= to; dayNo += 1) {
    const day = dayAt(dayNo, zone);
    if (day.before !== day.after && day.at > from) return day.at;
  }
  throw new RangeError('the zone does not change between these instants');
}

function readOffset(ms: number, zone: Zone): number {
  const part = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
  for (const { type, value } of zone.formatter.formatToParts(ms)) {
    if (type in part) part[type as keyof typeof part] = Number(value);
  }
  const { year, month, day, hour, minute, second } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) - ms;
}

function msOfTime(time: LocalTime): number {
  const match = /^([01]\d|2[0-3]):([0-5]\d):([0-5]\d)$/.exec(time);
  if (match === null) throw new RangeError(`"${time}" is not a time written HH:MM:SS`);
  return (Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3])) * 1000;
}

function timeOfMs(ms: number): LocalTime {
  return new Date(ms).toISOString().slice(11, 19);
}
