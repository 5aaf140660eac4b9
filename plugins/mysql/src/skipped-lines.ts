import { errorCodeOf } from '@millrace/sdk';
import type { Column } from '@millrace/sdk';

import type { KeyShape, LineKey } from './line-keys.js';
import { keyOf, LineKeys } from './line-keys.js';
import { quoteName, textLiteral } from './literal.js';
import { isPrinted, missingKeys } from './missing-keys.js';
import { uniqueKeys } from './unique-keys.js';
import type { ServerWarning, Session } from './session.js';
import type { ColumnPair, WriterTarget } from './writer-target.js';

const DUPLICATE = 1062;
/** A line with one of these is not stored: a CHECK, in MariaDB's number and MySQL's, or a foreign key. */
const BROKEN_RULES: ReadonlySet<number> = new Set([4025, 3819, 1452]);

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
  readonly lines: LineKeys;
  /** How many lines are not stored. */
  readonly skipped: number;
  readonly warnings: readonly ServerWarning[];
  readonly session: Session;
  /** Quoted: the table they went to. */
  readonly into: string;
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
  readonly #shape: KeyShape;

  private constructor(
    target: WriterTarget,
    index: string,
    columns: readonly Column[],
    places: readonly number[],
  ) {
    this.#target = target;
    this.#index = index;
    this.#columns = columns;
    this.#shape = { places, isNumber: columns.map(({ type }) => type.kind === 'integer') };
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

  keysOf(lines: readonly Buffer[]): LineKeys {
    return new LineKeys(lines, this.#shape);
  }

  /** `undefined` when the warnings do not tell all of them. */
  async find(loaded: LoadedLines): Promise<readonly SkippedLine[] | undefined> {
    const { lines, skipped, warnings } = loaded;
    if (warnings.length !== skipped) return undefined;
    const told = new Map<LineKey, number>();
    let untold = 0;
    for (const { errno, message } of warnings) {
      const key = this.#toldKey(errno, message);
      if (key !== undefined) told.set(key, (told.get(key) ?? 0) + 1);
      else if (errno === DUPLICATE || BROKEN_RULES.has(errno)) untold += 1;
      else return undefined;
    }
    if (![...told.keys()].every(isPrinted)) return undefined;
    const missing =
      untold > 0 ? await this.#missing(told, untold, loaded).catch(notAllowed) : undefined;
    if (untold > 0 && missing === undefined) return undefined;
    const found: number[] = [];
    const withKey = new Map([...told.keys()].map((key): [LineKey, number[]] => [key, []]));
    for (const [index, key] of lines.keys.entries()) {
      const same = withKey.get(key);
      if (same !== undefined) same.push(index);
      else if (missing?.has(key) === true) found.push(index);
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
      const key = lines.keys[index] ?? '';
      if ((this.#toldKey(errno, message) ?? key) !== key) return undefined;
      all.push({ index, line: lines.line(index), code: String(errno), reason: message });
    }
    return all;
  }

  /** Of this key's warnings: which key was taken. */
  #toldKey(errno: number, message: string): LineKey | undefined {
    if (errno !== DUPLICATE) return undefined;
    const [, key, index] = /^Duplicate entry '(.*)' for key '(.*)'$/s.exec(message) ?? [];
    const isOurs = index === this.#index || index?.endsWith(`.${this.#index}`) === true;
    return isOurs && key !== undefined ? keyOf(key, this.#shape) : undefined;
  }

  /** `undefined` where the table cannot be asked, or does not keep keys as they are sent. */
  async #missing(
    taken: ReadonlyMap<LineKey, number>,
    untold: number,
    { lines, session, into }: LoadedLines,
  ): Promise<ReadonlySet<LineKey> | undefined> {
    if (await this.#hasTrigger(session)) return undefined;
    const names = this.#columns.map(({ name }) => quoteName(name)).join(', ');
    return await missingKeys({ session, into, names, ...this.#shape }, lines, taken, untold);
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

/** An account that only writes may not ask. */
function notAllowed(error: unknown): undefined {
  if (errorCodeOf(error) !== 'MR-D106') throw error;
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
