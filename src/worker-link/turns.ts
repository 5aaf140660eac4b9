/** Lets work of one key follow each other, in the order in which it was asked for. */
export class Turns<K> {
  readonly #last = new Map<K, Promise<void>>();

  has(key: K): boolean {
    return this.#last.has(key);
  }

  async take<T>(key: K, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    let end: () => void = () => undefined;
    const mine = new Promise<void>((resolve) => (end = resolve));
    this.#last.set(key, mine);
    await before;
    try {
      return await work();
    } finally {
      end();
      if (this.#last.get(key) === mine) this.#last.delete(key);
    }
  }
}
