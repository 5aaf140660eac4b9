/** Lets so many searches run at once; the others wait for their turn in the order in which they came. */
export class SearchGate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  /** `undefined` when `signal` was aborted first. */
  async enter(signal: AbortSignal): Promise<Disposable | undefined> {
    if (this.#free === 0) await this.#turn(signal);
    else this.#free--;
    if (!signal.aborted) return { [Symbol.dispose]: () => this.#leave() };
    return undefined;
  }

  async #turn(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const enter = (): void => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        resolve();
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiting.push(enter);
    });
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
