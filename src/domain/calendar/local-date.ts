/** A calendar day without a zone, `YYYY-MM-DD`, years 1000 to 9999. */
export type LocalDate = string;

const DAY_MS = 86_400_000;
const DATE = /^[1-9]\d{3}-\d{2}-\d{2}$/;

/** Planning asks for the same few days with every cycle, and reading or writing a date costs a microsecond. */
const MAX_CACHED = 10_000;
const dayNumbers = new Map<LocalDate, number>();
const dates = new Map<number, LocalDate>();

/** True for a day that exists: `2025-02-29` is none. */
export function isLocalDate(text: string): boolean {
  return DATE.test(text) && dateOfDay(utcDays(text)) === text;
}

/** Days since 1970-01-01. Throws RangeError unless `isLocalDate`. */
export function dayOfDate(date: LocalDate): number {
  const known = dayNumbers.get(date);
  if (known !== undefined) return known;
  if (!isLocalDate(date)) throw new RangeError(`"${date}" is not a day written YYYY-MM-DD`);
  const day = utcDays(date);
  if (dayNumbers.size >= MAX_CACHED) dayNumbers.clear();
  dayNumbers.set(date, day);
  return day;
}

/** The inverse of `dayOfDate`. Throws RangeError outside of the years 1000 to 9999. */
export function dateOfDay(day: number): LocalDate {
  const known = dates.get(day);
  if (known !== undefined) return known;
  if (!(day >= -354_285 && day <= 2_932_896))
    throw new RangeError('the year is not within 1000 to 9999');
  const date = new Date(day * DAY_MS).toISOString().slice(0, 10);
  if (dates.size >= MAX_CACHED) dates.clear();
  dates.set(day, date);
  return date;
}

export function addDays(date: LocalDate, days: number): LocalDate {
  return dateOfDay(dayOfDate(date) + days);
}

/** A day that the new month does not have becomes its last one: 03-31 minus one month is 02-28 or 02-29. */
export function addMonths(date: LocalDate, months: number): LocalDate {
  const first = dayOfDate(`${date.slice(0, 8)}01`);
  const dayOfMonth = dayOfDate(date) - first;
  const total = Number(date.slice(0, 4)) * 12 + Number(date.slice(5, 7)) - 1 + months;
  const target = Date.UTC(Math.floor(total / 12), ((total % 12) + 12) % 12, 1) / DAY_MS;
  if (total < 12_000) throw new RangeError('the year is not within 1000 to 9999');
  return dateOfDay(target + Math.min(dayOfMonth, daysInMonth(dateOfDay(target)) - 1));
}

/** How many days the month of `date` has. */
export function daysInMonth(date: LocalDate): number {
  return new Date(Date.UTC(Number(date.slice(0, 4)), Number(date.slice(5, 7)), 0)).getUTCDate();
}

/** 0 is Sunday. */
export function weekdayOf(date: LocalDate): number {
  return (((dayOfDate(date) + 4) % 7) + 7) % 7;
}

function utcDays(date: string): number {
  const [year, month, day] = date.split('-');
  return Date.UTC(Number(year), Number(month) - 1, Number(day)) / DAY_MS;
}
