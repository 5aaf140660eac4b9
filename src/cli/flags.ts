import { isLocalDate } from '../domain/calendar/local-date.js';
import { usageError } from './cli-error.js';

type FlagValue = string | boolean | readonly (string | boolean)[] | undefined;

/** The options of one call, as the command declared them. */
export class Flags {
  readonly #values: Readonly<Record<string, FlagValue>>;

  constructor(values: Readonly<Record<string, FlagValue>>) {
    this.#values = values;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === 'string' ? value : undefined;
  }

  texts(name: string): string[] {
    const value = this.#values[name];
    return Array.isArray(value) ? value.filter((v) => typeof v === 'string') : [];
  }

  isSet(name: string): boolean {
    return this.#values[name] === true;
  }

  required(name: string, example: string): string {
    const value = this.text(name);
    if (value === undefined) throw usageError(`--${name} is missing`, `Add it: ${example}`);
    return value;
  }

  /** A calendar date `YYYY-MM-DD` that exists. */
  date(name: string): string | undefined {
    const value = this.text(name);
    if (value !== undefined && !isLocalDate(value)) {
      throw usageError(`--${name} ${value} is not a date`, `Write it as --${name} 2026-11-20.`);
    }
    return value;
  }

  count(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (!/^[1-9]\d{0,8}$/.test(value)) {
      throw usageError(`--${name} ${value} is not a count`, `Give a whole number above 0.`);
    }
    return Number(value);
  }

  /** `-p k=v` pairs; a key given twice is an error rather than a silent winner. */
  pairs(name: string): Record<string, string> {
    const pairs: Record<string, string> = {};
    for (const text of this.texts(name)) {
      const at = text.indexOf('=');
      const key = text.slice(0, at);
      if (at <= 0) throw usageError(`"${text}" is not key=value`, `Write it as key=value.`);
      if (Object.hasOwn(pairs, key)) throw usageError(`"${key}" is given twice`, 'Give it once.');
      pairs[key] = text.slice(at + 1);
    }
    return pairs;
  }
}
