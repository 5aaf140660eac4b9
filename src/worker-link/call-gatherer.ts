import { registeredCodeOf } from '../domain/errors.js';

interface Waiting<T, R> {
  readonly item: T;
  readonly resolve: (answer: R) => void;
  readonly reject: (error: unknown) => void;
}

export interface CallGathererOptions<T, R> {
  readonly send: (items: readonly T[]) => Promise<R>;
  /** At most so much goes in one call, by what an item weighs. */
  readonly maxWeight: number;
  readonly weightOf: (item: T) => number;
}

/**
 * Sends what many attempts of one worker have to say in as few calls as the load asks for: the first goes at
 * once, and what comes while it is on its way shares the next one.
 */
export class CallGatherer<T, R> {
  readonly #options: CallGathererOptions<T, R>;
  #waiting: Waiting<T, R>[] = [];
  #isBusy = false;

  constructor(options: CallGathererOptions<T, R>) {
    this.#options = options;
  }

  /** Resolves with the answer to the call that carried the item. */
  async send(item: T): Promise<R> {
    const sent = new Promise<R>((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
    });
    void this.#drain();
    return await sent;
  }

  async #drain(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    // Those that end in this turn of the event loop go together.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#call(this.#next());
    this.#isBusy = false;
  }

  #next(): Waiting<T, R>[] {
    const { maxWeight, weightOf } = this.#options;
    let weight = 0;
    const end = this.#waiting.findIndex(({ item }, at) => {
      weight += weightOf(item);
      return at > 0 && weight > maxWeight;
    });
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
  }

  async #call(batch: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const answer = await this.#options.send(batch.map(({ item }) => item));
      for (const { resolve } of batch) resolve(answer);
    } catch (error) {
      // An answer to one of them is no answer to its neighbours; a link that is away is away for all.
      if (batch.length > 1 && registeredCodeOf(error) !== undefined)
        for (const waiting of batch) await this.#call([waiting]);
      else for (const { reject } of batch) reject(error);
    }
  }
}
