const formats = new Map<string, Intl.DateTimeFormat>();

/** Local wall time in ms as if it were UTC: adding and rounding then follow the clock on the wall. */
export function localMs(at: number, zone: string): number {
  return at + offsetMs(at, zone);
}

/** How far the zone is ahead of UTC at an instant. */
export function offsetMs(at: number, zone: string): number {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(zone, format);
  }
  const whole = Math.floor(at / 1000) * 1000;
  const part: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(whole)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) - whole;
}

/** The instant of a local wall time; in the hour that a clock skips, the one after it. */
export function instantOf(local: number, zone: string): number {
  const guess = local - offsetMs(local, zone);
  const better = local - offsetMs(guess, zone);
  if (better === guess || localMs(better, zone) === local) return better;
  return Math.max(guess, better);
}

const DAY = 86_400_000;

/** Instants in `[from, to)` at which the zone's clock is changed, and by how much. */
export function clockChanges(
  { from, to }: { readonly from: number; readonly to: number },
  zone: string,
): { at: number; byMs: number }[] {
  const changes: { at: number; byMs: number }[] = [];
  for (let start = from; start < to; start += DAY) {
    const end = Math.min(start + DAY, to);
    const byMs = offsetMs(end, zone) - offsetMs(start, zone);
    if (byMs !== 0) changes.push({ at: bisect(start, end, zone), byMs });
  }
  return changes;
}

function bisect(start: number, end: number, zone: string): number {
  const before = offsetMs(start, zone);
  let [low, high] = [start, end];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetMs(middle, zone) === before) low = middle;
    else high = middle;
  }
  return Math.ceil(high / 1000) * 1000;
}
