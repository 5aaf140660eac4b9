/** What a simulated crash throws: nothing of a plugin may catch it and go on. */
export class SimulatedCrash extends Error {
  override readonly name = 'SimulatedCrash';

  constructor(point: string) {
    super(`simulated crash at ${point}`);
  }
}

/** A `crashPoint` that throws the n-th time the point is passed. */
export function crashAt(point: string, nth = 1): (name: string) => Promise<void> {
  let seen = 0;
  return (name) =>
    name === point && ++seen === nth
      ? Promise.reject(new SimulatedCrash(point))
      : Promise.resolve();
}

/** A `crashPoint` that holds whoever comes to the point until it is released. */
export class ParkingPoint {
  readonly #point: string;
  /** Resolves when somebody stands at the point. */
  readonly reached: Promise<void>;
  readonly #released: Promise<void>;
  #reach: () => void = () => undefined;
  #release: () => void = () => undefined;

  constructor(point: string) {
    this.#point = point;
    this.reached = new Promise((resolve) => (this.#reach = resolve));
    this.#released = new Promise((resolve) => (this.#release = resolve));
  }

  readonly crashPoint = async (name: string): Promise<void> => {
    if (name !== this.#point) return;
    this.#reach();
    await this.#released;
  };

  release(): void {
    this.#release();
  }
}
