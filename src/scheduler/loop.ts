import type { Clock } from '../domain/clock.js';
import { sqlStateOf } from '../store/database.js';

export interface LoopLogger {
  warn(fields: Record<string, unknown>, text: string): void;
}

export interface LoopOptions {
  readonly name: string;
  /** Does one round. `again`: more is waiting. Otherwise how many ms to rest at most; a wake-up ends the rest. */
  readonly round: () => Promise<'again' | number>;
  /** However often it is woken, it rests until so long after the beginning of the round before. */
  readonly paceMs?: number;
  readonly logger: LoopLogger;
  readonly clock: Clock;
}

const MAX_BACKOFF_MS = 10_000;

/**
 * A loop that works while there is work, rests otherwise, and backs off while rounds fail. It owns its
 * timers: after {@link stop} nothing of it runs.
 */
export class Loop {
  readonly name: string;
  readonly #options: LoopOptions;
  #running: Promise<void> | undefined;
  #stopped = false;
  #woken = false;
  #endRest: (() => void) | undefined;
  /** Ended by a stop alone. */
  #endPace: (() => void) | undefined;
  #failures = 0;
  #roundAt = -Infinity;
  #lastSuccess: Date | undefined;

  constructor(options: LoopOptions) {
    this.name = options.name;
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends the present rest, or the next one before it begins. */
  readonly wake = (): void => {
    this.#woken = true;
    this.#endRest?.();
  };

  /** When the last round that worked ended; `undefined` before the first. */
  get lastSuccessAt(): Date | undefined {
    return this.#lastSuccess;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#endRest?.();
    this.#endPace?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#woken = false;
      this.#roundAt = performance.now();
      try {
        const rest = await this.#options.round();
        this.#failures = 0;
        this.#lastSuccess = this.#options.clock.now();
        if (rest !== 'again') await this.#rest(rest);
      } catch (error) {
        this.#failures++;
        this.#options.logger.warn(
          { loop: this.name, err: error, sqlState: sqlStateOf(error), failures: this.#failures },
          'a round failed; it is tried again',
        );
        this.#woken = false;
        await this.#rest(Math.min(MAX_BACKOFF_MS, 100 * 2 ** Math.min(this.#failures, 10)));
      }
    }
  }

  async #rest(ms: number): Promise<void> {
    if (!this.#woken && !this.#stopped) await this.#wait(ms, (end) => (this.#endRest = end));
    this.#endRest = undefined;
    const paceMs = this.#roundAt + (this.#options.paceMs ?? 0) - performance.now();
    if (paceMs > 0 && !this.#stopped) await this.#wait(paceMs, (end) => (this.#endPace = end));
    this.#endPace = undefined;
  }

  async #wait(ms: number, onBegin: (end: () => void) => void): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, Math.min(ms, 2 ** 31 - 1)));
      onBegin(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
