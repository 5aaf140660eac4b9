import { errorCodeOf } from '@millrace/sdk';
import type { Column } from '@millrace/sdk';

import { quoteName, textLiteral } from './literal.js';
import { uniqueKeys } from './unique-keys.js';
import type { ServerWarning, Session } from './session.js';
import type { ColumnPair, WriterTarget } from './writer-target.js';

const LINE_FEED = 0x0a;
const TAB = 0x09;
const DUPLICATE = 1062;
/** A line with one of these is not stored: a CHECK, in MariaDB's number and MySQL's, or a foreign key. */
const BROKEN_RULES: ReadonlySet<number> = new Set([4025, 3819, 1452]);
/** The server prints keys like these in full, and each in one way. */
const PRINTED = /^[\x20-\x26\x28-\x5b\x5d-\x7e]{0,40}$/;
const ASKED_AT_ONCE = 2_000;
/** Of a statement. */
const MOST_RANGES = 50;
/** Keys that are farther apart are in two ranges: no more than so many rows are read for one. */
const RANGE_GAP = 8;
/** The server's word for a key of several columns. */
const BETWEEN = '-';

export interface SkippedLine {
  /** Counted from 0. */
  readonly index: number;
  readonly line: Buffer;
  /** The server's number of the reason. */
  readonly code: string;
  readonly reason: string;
}

/** What LOAD DATA said. */
export interface LoadedLines {
  readonly lines: Buffer;
  /** How many lines are not stored. */
  readonly skipped: number;
  readonly warnings: readonly ServerWarning[];
  readonly session: Session;
  /** Quoted: the table they went to. */
  readonly into: string;
}

interface KeyedLines {
  readonly lines: Buffer;
  /** Where each line begins, and the last one ends. */
  readonly starts: readonly number[];
  /** Of each line, as the server prints it. */
  readonly keys: readonly string[];
}

/**
 * Finds the lines that LOAD DATA LOCAL has skipped. Its warnings tell a key, or a rule and not even that; they come
 * in the order of the lines. Of lines with one key the last ones were skipped for it; lines whose key is not in the
 * table were all skipped. Whatever these two do not explain to the last line is not known.
 */
export class SkippedLines {
  readonly #target: WriterTarget;
  readonly #index: string;
  readonly #columns: readonly Column[];
  /** Places of the key's columns in a line, in the order of the key. */
  readonly #places: readonly number[];

  private constructor(
    target: WriterTarget,
    index: string,
    columns: readonly Column[],
    places: readonly number[],
  ) {
    this.#target = target;
    this.#index = index;
    this.#columns = columns;
    this.#places = places;
  }

  /** `undefined` for a table without a unique key that is all mapped, never NULL and printed in one way. */
  static async of(
    session: Session,
    target: WriterTarget,
    pairs: readonly ColumnPair[],
  ): Promise<SkippedLines | undefined> {
    const all = await uniqueKeys(session, target);
    for (const { index, columns: names } of all) {
      const places = names?.map((name) => pairs.findIndex((p) => p.target.name === name)) ?? [];
      const columns = places.flatMap((place) => pairs[place]?.target ?? []);
      const isPrinted = columns.every((c) => !c.nullable && isPrintedAlike(c, places.length > 1));
      // MySQL prints the name of the table before that of the index.
      const isAmbiguous = all.some((other) => other.index.endsWith(`.${index}`));
      if (places.length > 0 && columns.length === places.length && isPrinted && !isAmbiguous)
        return new SkippedLines(target, index, columns, places);
    }
    return undefined;
  }

  /** `undefined` when the warnings do not tell all of them. */
  async find(loaded: LoadedLines): Promise<readonly SkippedLine[] | undefined> {
    const { lines, skipped, warnings } = loaded;
    if (warnings.length !== skipped) return undefined;
    const told = new Map<string, number>();
    let untold = 0;
    for (const { errno, message } of warnings) {
      const key = this.#toldKey(errno, message);
      if (key !== undefined) told.set(key, (told.get(key) ?? 0) + 1);
      else if (errno === DUPLICATE || BROKEN_RULES.has(errno)) untold += 1;
      else return undefined;
    }
    if (![...told.keys()].every((key) => PRINTED.test(key))) return undefined;
    const keyed = this.#keysOf(lines);
    const { starts, keys } = keyed;
    const stored =
      untold > 0 ? await this.#stored(keyed, told, loaded).catch(notAllowed) : undefined;
    if (untold > 0 && stored === undefined) return undefined;
    const found: number[] = [];
    const withKey = new Map([...told.keys()].map((key): [string, number[]] => [key, []]));
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index] ?? '';
      const same = withKey.get(key);
      if (same !== undefined) same.push(index);
      else if (stored?.has(key) === false) found.push(index);
    }
    for (const [key, times] of told) {
      const same = withKey.get(key) ?? [];
      // Of all lines with a key one at most is stored.
      if (same.length - times > 1) return undefined;
      found.push(...same.slice(-times));
    }
    if (found.length !== skipped) return undefined;
    const all: SkippedLine[] = [];
    for (const [i, index] of found.toSorted((a, b) => a - b).entries()) {
      const { errno, message } = warnings[i] ?? { errno: 0, message: '' };
      const key = keys[index] ?? '';
      if ((this.#toldKey(errno, message) ?? key) !== key) return undefined;
      const line = lines.subarray(starts[index], starts[index + 1]);
      all.push({ index, line, code: String(errno), reason: message });
    }
    return all;
  }

  /** Of this key's warnings: which key was taken. */
  #toldKey(errno: number, message: string): string | undefined {
    if (errno !== DUPLICATE) return undefined;
    const [, key, index] = /^Duplicate entry '(.*)' for key '(.*)'$/s.exec(message) ?? [];
    const isOurs = index === this.#index || index?.endsWith(`.${this.#index}`) === true;
    return isOurs ? key : undefined;
  }

  #keysOf(lines: Buffer): KeyedLines {
    const starts = [0];
    const keys: string[] = [];
    for (let at = 0; at < lines.length;) {
      const end = lines.indexOf(LINE_FEED, at) + 1;
      keys.push(this.#keyOf(lines, at, end - 1));
      starts.push(end);
      at = end;
    }
    return { lines, starts, keys };
  }

  #keyOf(lines: Buffer, from: number, end: number): string {
    const [place = 0, ...others] = this.#places;
    const first = partAt(lines, from, end, place);
    return others.length === 0 ? first : this.#partsOf(lines, from, end).join(BETWEEN);
  }

  #partsOf(lines: Buffer, from: number, end: number): readonly string[] {
    return this.#places.map((place) => partAt(lines, from, end, place));
  }

  /**
   * Which of the keys the table has, `taken` ones among them without asking; `undefined` where it cannot be asked, or
   * does not keep keys as they are sent.
   */
  async #stored(
    { lines, starts, keys }: KeyedLines,
    taken: ReadonlyMap<string, unknown>,
    { session, into }: LoadedLines,
  ): Promise<ReadonlySet<string> | undefined> {
    if (await this.#hasTrigger(session)) return undefined;
    const isNumber = this.#columns.map(({ type }) => type.kind === 'integer');
    const asked: (readonly string[])[] = [];
    for (const [index, key] of keys.entries()) {
      if (!PRINTED.test(key)) return undefined;
      if (taken.has(key)) continue;
      const isPart = isNumber.length > 1;
      const parts = isPart
        ? this.#partsOf(lines, starts[index] ?? 0, (starts[index + 1] ?? 0) - 1)
        : [key];
      if (parts.some((part, i) => isNumber[i] === true && !/^-?\d+$/.test(part))) return undefined;
      asked.push(parts);
    }
    const names = this.#columns.map(({ name }) => quoteName(name)).join(', ');
    const stored = new Set(taken.keys());
    for (const condition of conditionsOf(names, isNumber, asked)) {
      const sql = `SELECT ${names} FROM ${into} WHERE ${condition}`;
      for (const parts of await session.rows(sql)) stored.add(parts.join(BETWEEN));
    }
    return stored;
  }

  /** It may give a row another key. */
  async #hasTrigger(session: Session): Promise<boolean> {
    const { database, table } = this.#target.name;
    const triggers = await session.rows(
      `SELECT TRIGGER_NAME FROM information_schema.TRIGGERS
        WHERE EVENT_OBJECT_SCHEMA = ${textLiteral(database)} AND EVENT_OBJECT_TABLE = ${textLiteral(table)}`,
    );
    return triggers.length > 0;
  }
}

/** One of a statement each, of rows that have one of the keys; of others too where that is faster. */
function conditionsOf(
  names: string,
  isNumber: readonly boolean[],
  keys: readonly (readonly string[])[],
): readonly string[] {
  const ranges = isNumber.length === 1 && isNumber[0] === true ? rangesOf(keys.flat()) : undefined;
  if (ranges !== undefined) {
    const all = ranges.map(([first, last]) => `${names} BETWEEN ${first} AND ${last}`);
    return all.length === 0 ? [] : [all.join(' OR ')];
  }
  const tuples = keys.map((parts) => {
    const literals = parts.map((part, i) => (isNumber[i] === true ? part : textLiteral(part)));
    return `(${literals.join(', ')})`;
  });
  const conditions: string[] = [];
  for (let at = 0; at < tuples.length; at += ASKED_AT_ONCE) {
    conditions.push(`(${names}) IN (${tuples.slice(at, at + ASKED_AT_ONCE).join(', ')})`);
  }
  return conditions;
}

/**
 * Of whole numbers, ranges that have all of them and not many more; `undefined` where that takes too many. The server
 * reads a range of keys in a tenth of the time in which it finds them one by one.
 */
function rangesOf(keys: readonly string[]): readonly (readonly [number, number])[] | undefined {
  const numbers = Float64Array.from(keys, Number).toSorted();
  if (!numbers.every(Number.isSafeInteger)) return undefined;
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last !== undefined && number - last[1] <= RANGE_GAP) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.length <= MOST_RANGES ? ranges : undefined;
}

/** An account that only writes may not ask. */
function notAllowed(error: unknown): undefined {
  if (errorCodeOf(error) !== 'MR-D106') throw error;
}

function partAt(lines: Buffer, from: number, end: number, place: number): string {
  let at = from;
  for (let before = 0; before < place; before++) at = fieldEnd(lines, at, end) + 1;
  return printed(lines.toString('latin1', at, fieldEnd(lines, at, end)));
}

function fieldEnd(lines: Buffer, from: number, end: number): number {
  let at = from;
  while (at < end && lines[at] !== TAB) at += 1;
  return at;
}

/**
 * Does the server print each value in one way only? The parts of a key of several columns are joined by a
 * hyphen, which a text may hold itself.
 */
function isPrintedAlike({ type, nativeType }: Column, isPart: boolean): boolean {
  if (type.kind === 'integer') return !/zerofill|^year/i.test(nativeType);
  if (type.kind === 'date') return true;
  return !isPart && /^varchar\b/i.test(nativeType);
}

/** An integer as the server prints it. */
function printed(field: string): string {
  return /^(?:\+|-?0)/.test(field) && /^[+-]?\d+$/.test(field)
    ? String(BigInt(field.replace('+', '')))
    : field;
}
