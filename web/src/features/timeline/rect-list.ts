/** Rectangles of one look, in px: `x, y, width, height` one after another, so that a frame makes no objects. */
export class RectList {
  #cells = new Float32Array(256);
  #length = 0;

  get count(): number {
    return this.#length / 4;
  }

  clear(): void {
    this.#length = 0;
  }

  push(x: number, y: number, width: number, height: number): void {
    if (this.#length + 4 > this.#cells.length) {
      const larger = new Float32Array(this.#cells.length * 2);
      larger.set(this.#cells);
      this.#cells = larger;
    }
    this.#cells[this.#length++] = x;
    this.#cells[this.#length++] = y;
    this.#cells[this.#length++] = width;
    this.#cells[this.#length++] = height;
  }

  /** Lets the last rectangle reach to `right`, if it is at `y` and reaches to `x`; false where it does not. */
  extend(x: number, y: number, right: number): boolean {
    const last = this.#length - 4;
    if (last < 0 || this.#cells[last + 1] !== y) return false;
    const left = this.#cells[last]!;
    const end = left + this.#cells[last + 2]!;
    if (x > end || x < left) return false;
    this.#cells[last + 2] = Math.max(end, right) - left;
    return true;
  }

  each(visit: (x: number, y: number, width: number, height: number) => void): void {
    for (let at = 0; at < this.#length; at += 4)
      visit(this.#cells[at]!, this.#cells[at + 1]!, this.#cells[at + 2]!, this.#cells[at + 3]!);
  }
}
