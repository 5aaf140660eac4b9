/** How fast rows may travel; without a number, as fast as they can. */
export interface Rate {
  readonly bytesPerSecond?: number | undefined;
  readonly rowsPerSecond?: number | undefined;
}

/** `from` to `to`, both `HH:MM`, `to` excluded; one that ends before it begins passes midnight. */
export interface RateWindow extends Rate {
  readonly from: string;
  readonly to: string;
}

/** The rate of its windows while the clock is in one, its own otherwise. */
export interface RateLimit extends Rate {
  readonly windows?: readonly RateWindow[] | undefined;
}

export const MAX_RATE_WINDOWS = 3;
export const CLOCK_TIME = /^(?:[01]\d|2[0-3]):[0-5]\d$/;

const MINUTES_OF_DAY = 24 * 60;

function minuteOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));
}

/** Minutes from the beginning of the window to `time`, on a clock that only goes forward. */
function minutesInto(window: RateWindow, time: string): number {
  return (minuteOf(time) - minuteOf(window.from) + MINUTES_OF_DAY) % MINUTES_OF_DAY;
}

function holds(window: RateWindow, time: string): boolean {
  return minutesInto(window, time) < minutesInto(window, window.to);
}

/** What is allowed when the wall clock shows `time` (`HH:MM`, seconds may follow). */
export function rateAt(limit: RateLimit, time: string): Rate {
  const { bytesPerSecond, rowsPerSecond } =
    limit.windows?.find((window) => holds(window, time)) ?? limit;
  return { bytesPerSecond, rowsPerSecond };
}

/** Two windows that hold at the same time, by their place in the list; `undefined`: there are none. */
export function overlapOf(windows: readonly RateWindow[]): readonly [number, number] | undefined {
  for (const [at, window] of windows.entries()) {
    const other = windows.findIndex(
      (each, no) => no > at && (holds(window, each.from) || holds(each, window.from)),
    );
    if (other > at) return [at, other];
  }
  return undefined;
}
