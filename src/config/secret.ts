import { inspect } from 'node:util';

const HIDDEN = '***';

/** A value that must not be printed. It shows as `***` in text, JSON, logs and the inspector. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself. Hand it to a driver or a cipher; never to a log, an error, an argument, an environment. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }
}
