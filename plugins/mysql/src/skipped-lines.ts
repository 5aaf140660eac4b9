import type { Column } from '@millrace/sdk';

import { uniqueKeys } from './merge.js';
import type { ServerWarning, Session } from './session.js';
import type { ColumnPair, WriterTarget } from './writer-target.js';

const LINE_FEED = 0x0a;
const TAB = 0x09;
const DUPLICATE = 1062;
/** The server prints keys like these in full, and each in one way. */
const PRINTED = /^[\x20-\x26\x28-\x5b\x5d-\x7e]{0,40}$/;

export interface SkippedLine {
  /** Counted from 0. */
  readonly index: number;
  readonly line: Buffer;
  readonly reason: string;
}

type Line = Omit<SkippedLine, 'reason'>;

/**
 * Finds the lines that LOAD DATA LOCAL has skipped because their key was taken. Its warnings tell the key, not
 * the line: with one unique key, the lines skipped are the last ones that have it.
 */
export class SkippedLines {
  /** Places of the key's columns in a line, in the order of the key. */
  readonly #places: readonly number[];

  private constructor(places: readonly number[]) {
    this.#places = places;
  }

  /** `undefined` for a table of none or several unique keys, or with a key that is not all mapped. */
  static async of(
    session: Session,
    target: WriterTarget,
    pairs: readonly ColumnPair[],
  ): Promise<SkippedLines | undefined> {
    const [key, ...others] = await uniqueKeys(session, target);
    if (key?.columns === undefined || others.length > 0) return undefined;
    const places = key.columns.map((name) => pairs.findIndex((p) => p.target.name === name));
    const isPrinted = places.every((place) => {
      const pair = pairs[place];
      return pair !== undefined && isPrintedAlike(pair.target, places.length > 1);
    });
    return isPrinted ? new SkippedLines(places) : undefined;
  }

  /** `undefined` when the warnings do not tell all of them; `skipped`: how many lines are not stored. */
  find(
    lines: Buffer,
    skipped: number,
    warnings: readonly ServerWarning[],
  ): readonly SkippedLine[] | undefined {
    if (warnings.length !== skipped) return undefined;
    const told = new Map<string, string[]>();
    for (const { errno, message } of warnings) {
      const key = /^Duplicate entry '(.*)' for key '/s.exec(message)?.[1];
      if (errno !== DUPLICATE || key === undefined || !PRINTED.test(key)) return undefined;
      told.set(key, [...(told.get(key) ?? []), message]);
    }
    const found = this.#linesOf(lines, told);
    const all: SkippedLine[] = [];
    for (const [key, messages] of told) {
      const same = found.get(key) ?? [];
      const spared = same.length - messages.length;
      // Of all lines with a key one at most is stored.
      if (spared !== 0 && spared !== 1) return undefined;
      all.push(...same.slice(spared).map((line, i) => ({ ...line, reason: messages[i] ?? '' })));
    }
    return all.toSorted((a, b) => a.index - b.index);
  }

  #linesOf(lines: Buffer, keys: ReadonlyMap<string, unknown>): Map<string, Line[]> {
    const found = new Map<string, Line[]>();
    let index = 0;
    for (let at = 0; at < lines.length; index++) {
      const end = lines.indexOf(LINE_FEED, at) + 1;
      const key = this.#keyOf(lines, at, end - 1);
      if (keys.has(key)) {
        const line = { index, line: lines.subarray(at, end) };
        found.set(key, [...(found.get(key) ?? []), line]);
      }
      at = end;
    }
    return found;
  }

  #keyOf(lines: Buffer, from: number, end: number): string {
    const parts = this.#places.map((place) => {
      let at = from;
      for (let before = 0; before < place; before++) at = fieldEnd(lines, at, end) + 1;
      return printed(lines.toString('latin1', at, fieldEnd(lines, at, end)));
    });
    return parts.join('-');
  }
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
