import { addDays } from '../calendar/local-date.js';
import { localOf, zonedToInstant } from '../calendar/zone.js';

/** Times of day `HH:MM`; `to` before `from` is on the next day. */
export interface MuteWindow {
  readonly from: string;
  readonly to: string;
}

/** When the window that `now` lies in ends; `undefined` outside of it. A window without length never mutes. */
export function muteEnd(window: MuteWindow, now: Date, zone: string): Date | undefined {
  const { date, time } = localOf(now, zone);
  const [from, to] = [`${window.from}:00`, `${window.to}:00`];
  if (from === to) return undefined;
  if (from < to) return time >= from && time < to ? firstInstant(date, to, zone, now) : undefined;
  if (time >= from) return firstInstant(addDays(date, 1), to, zone, now);
  return time < to ? firstInstant(date, to, zone, now) : undefined;
}

/** The first instant after `now` at which the wall clock has come to that time. */
function firstInstant(date: string, time: string, zone: string, now: Date): Date {
  const zoned = zonedToInstant(date, time, zone);
  switch (zoned.kind) {
    case 'instant':
      return zoned.instant;
    case 'fold':
      return zoned.first > now ? zoned.first : zoned.second;
    case 'gap':
      return zoned.resumesAt;
  }
}
