import type { WorkerLink } from '../worker-link/worker-link.js';
import type { InstanceRunner } from './instance-runner.js';

export interface ControlLoopOptions {
  readonly link: WorkerLink;
  readonly workerId: () => number;
  readonly running: () => readonly InstanceRunner[];
  readonly onFailure: (error: unknown) => void;
}

const EVERY_MS = 1000;

/**
 * Once a second, while syncs run: their progress goes to the store, and what was set for them and their
 * shares of rates come back. Rests while there are none, and a sync shorter than a second costs nothing.
 */
export class ControlLoop {
  readonly #options: ControlLoopOptions;
  #wake: (() => void) | undefined;
  #giveUp: (() => void) | undefined;
  #isHurried = false;
  #isResting = false;

  constructor(options: ControlLoopOptions) {
    this.#options = options;
  }

  /** A sync has begun; one that uses a data source with a rate limit waits for its first share. */
  started({ claim }: InstanceRunner): void {
    this.#isHurried ||= claim.dataSources.some((source) => source.isRateLimited === true);
    if (this.#isHurried || this.#isResting) this.#wake?.();
  }

  async run(ending: AbortSignal): Promise<void> {
    ending.addEventListener('abort', () => this.#end(), { once: true });
    while (!ending.aborted) {
      const asks = this.#asks();
      this.#isResting = asks.length === 0;
      const wasResting = this.#isResting;
      if (!this.#isHurried) await this.#pause(wasResting);
      if (ending.aborted) return;
      if (wasResting && !this.#isHurried) continue;
      this.#isHurried = false;
      await this.#exchange();
    }
  }

  #end(): void {
    this.#wake?.();
    this.#giveUp?.();
  }

  #asks(): NonNullable<InstanceRunner['control']>[] {
    return this.#options
      .running()
      .flatMap(({ control }) => (control === undefined ? [] : [control]));
  }

  /** Ends with the worker. Not by Promise.race: each leaves something at a promise that lives as long as the worker. */
  #exchange(): Promise<void> {
    return new Promise((resolve) => {
      this.#giveUp = resolve;
      void this.#ask().then(resolve);
    });
  }

  async #ask(): Promise<void> {
    const attempts = this.#asks();
    if (attempts.length === 0) return;
    const { link, workerId, running, onFailure } = this.#options;
    try {
      const answers = await link.control({ workerId: workerId(), attempts });
      const newsOf = new Map(
        answers.map((each) => [`${each.instanceId}:${each.epoch}`, each.news]),
      );
      for (const runner of running()) {
        const news = newsOf.get(`${runner.ref.instanceId}:${runner.ref.epoch}`);
        if (news !== undefined) runner.tell(news);
      }
    } catch (error) {
      onFailure(error);
    }
  }

  #pause(isResting: boolean): Promise<void> {
    return new Promise((resolve) => {
      const timer = isResting ? undefined : setTimeout(resolve, EVERY_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
