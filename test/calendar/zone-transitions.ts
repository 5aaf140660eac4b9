/** A change of a zone's clock: local time minus UTC, in ms, before and from `at` on. */
export interface Transition {
  readonly at: number;
  readonly before: number;
  readonly after: number;
}

/** The clock of a zone over some years, read from Intl alone: nothing here comes from src/. */
export interface ZoneClock {
  readonly transitions: readonly Transition[];
  offsetAt(ms: number): number;
}

const DAY_MS = 86_400_000;
/** Two changes that cancel each other lie further apart: the shortest, of Ramadan, is about a month. */
const STEP_MS = 10 * DAY_MS;

/** Finds every change between two instants by bisection of the offsets on both sides. */
export function zoneClock(zone: string, from: number, to: number): ZoneClock {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  const read = (ms: number): number => {
    const name = format.formatToParts(ms).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const match = /^GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(name);
    if (match === null) throw new Error(`${zone} has the offset "${name}"`);
    const [, sign = '+', hours = '0', minutes = '0', seconds = '0'] = match;
    const total = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
    return sign === '-' ? -total : total;
  };
  const transitions: Transition[] = [];
  const first = read(from);
  for (let start = from, before = first; start < to; start += STEP_MS) {
    const after = read(start + STEP_MS);
    if (after !== before) {
      let [low, high] = [start, start + STEP_MS];
      while (high - low > 1000) {
        const middle = low + Math.floor((high - low) / 2000) * 1000;
        if (read(middle) === before) low = middle;
        else high = middle;
      }
      transitions.push({ at: high, before, after });
    }
    before = after;
  }
  return { transitions, offsetAt: (ms) => lastChange(transitions, ms)?.after ?? first };
}

/** The change in force at an instant; asked for every minute of many days, so it is halved, not walked. */
function lastChange(transitions: readonly Transition[], ms: number): Transition | undefined {
  let [low, high] = [0, transitions.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((transitions[middle]?.at ?? Infinity) <= ms) low = middle + 1;
    else high = middle;
  }
  return transitions[low - 1];
}
