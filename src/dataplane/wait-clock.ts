/** How long somebody waited, added up over all who wait; a wait counts while it lasts, not at its end. */
export class WaitClock {
  readonly #nowMs: () => number;
  #waiting = 0;
  #totalMs = 0;
  #countedMs: number;

  /** `nowMs` is a clock that never goes back. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#countedMs = nowMs();
  }

  get totalMs(): number {
    this.#count();
    return this.#totalMs;
  }

  async during<T>(wait: Promise<T>): Promise<T> {
    this.#count();
    this.#waiting += 1;
    try {
      return await wait;
    } finally {
      this.#count();
      this.#waiting -= 1;
    }
  }

  #count(): void {
    const now = this.#nowMs();
    this.#totalMs += this.#waiting * (now - this.#countedMs);
    this.#countedMs = now;
  }
}
