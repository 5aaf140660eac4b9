import type { KeyShape, LineKey, LineKeys } from './line-keys.js';
import { BETWEEN, isWholeNumber, keyOf } from './line-keys.js';
import { textLiteral } from './literal.js';
import type { Session } from './session.js';

const ASKED_AT_ONCE = 2_000;
/** Of a statement. */
const MOST_RANGES = 50;
/** Keys that are farther apart are in two ranges: no more than so many rows are read for one. */
const RANGE_GAP = 8;
/** Neighbouring numbers that are counted together. */
const COUNTED_AT_ONCE = 64;
/** The server prints keys like these in full, and each in one way. */
const PRINTED = /^[\x20-\x26\x28-\x5b\x5d-\x7e]{0,40}$/;

/** A unique key of a table. */
export interface AskedKey extends KeyShape {
  readonly session: Session;
  /** Quoted. */
  readonly into: string;
  /** Its columns, quoted, with commas between them. */
  readonly names: string;
}

/** Does the server print it in full, and in one way? */
export function isPrinted(key: LineKey): boolean {
  return typeof key === 'number' || PRINTED.test(key);
}

/**
 * The keys of lines that the table does not have, which `untold` lines are of; `taken` ones it has. `undefined`
 * where it cannot be asked.
 */
export async function missingKeys(
  asked: AskedKey,
  lines: LineKeys,
  taken: ReadonlyMap<LineKey, unknown>,
  untold: number,
): Promise<ReadonlySet<LineKey> | undefined> {
  const counted = await missingNumbers(asked, lines.keys, taken);
  // Rows that no line is of may stand in for missing ones.
  if (counted !== undefined && timesOf(counted, lines.keys) === untold) return counted;
  return await missingParts(asked, lines, taken);
}

function timesOf(wanted: ReadonlySet<LineKey>, keys: readonly LineKey[]): number {
  let times = 0;
  for (const key of keys) if (wanted.has(key)) times += 1;
  return times;
}

/**
 * Of whole numbers. Neighbours are counted by the server, and asked about where some are missing: to read back each
 * key took as long as a third of the load. `undefined`: they are not all numbers, or far apart.
 */
async function missingNumbers(
  asked: AskedKey,
  keys: readonly LineKey[],
  taken: ReadonlyMap<LineKey, unknown>,
): Promise<ReadonlySet<number> | undefined> {
  if (!isWholeNumber(asked)) return undefined;
  const numbers: number[] = [];
  for (const key of keys) {
    if (typeof key !== 'number') return undefined;
    if (!taken.has(key)) numbers.push(key);
  }
  const wanted = distinct(Float64Array.from(numbers));
  const ranges = rangesOf(wanted);
  if (ranges === undefined) return undefined;
  const { session, into, names } = asked;
  const counts = await session.rows(
    `SELECT ${names} DIV ${COUNTED_AT_ONCE}, COUNT(*) FROM ${into} WHERE ${betweenOf(names, ranges)} GROUP BY 1`,
  );
  const doubted = doubtedOf(wanted, taken.keys(), counts);
  const missing = new Set(doubted);
  for (const condition of conditionsOf(
    asked,
    doubted.map((number) => [String(number)]),
  )) {
    const found = await session.rows(`SELECT ${names} FROM ${into} WHERE ${condition}`);
    for (const [number] of found) missing.delete(Number(number));
  }
  return missing;
}

/** Of numbers that ascend, those among whose neighbours the server has not counted as many as there should be. */
function doubtedOf(
  wanted: Float64Array,
  taken: Iterable<LineKey>,
  counts: readonly (readonly (string | null)[])[],
): readonly number[] {
  const surplus = new Map(counts.map(([group, count]) => [Number(group), Number(count)]));
  for (const key of taken) {
    const group = groupOf(Number(key));
    surplus.set(group, (surplus.get(group) ?? 0) - 1);
  }
  const doubted: number[] = [];
  for (let from = 0; from < wanted.length;) {
    const group = groupOf(wanted[from] ?? 0);
    let to = from + 1;
    while (to < wanted.length && groupOf(wanted[to] ?? 0) === group) to += 1;
    if (surplus.get(group) !== to - from) doubted.push(...wanted.subarray(from, to));
    from = to;
  }
  return doubted;
}

/** As the server divides. */
function groupOf(number: number): number {
  return Math.trunc(number / COUNTED_AT_ONCE);
}

async function missingParts(
  asked: AskedKey,
  lines: LineKeys,
  taken: ReadonlyMap<LineKey, unknown>,
): Promise<ReadonlySet<LineKey> | undefined> {
  const { session, into, names, isNumber } = asked;
  const missing = new Set<LineKey>();
  const all: (readonly string[])[] = [];
  for (const [index, key] of lines.keys.entries()) {
    if (!isPrinted(key)) return undefined;
    if (taken.has(key)) continue;
    const parts = isNumber.length > 1 ? lines.columns(index) : [String(key)];
    if (parts.some((part, i) => isNumber[i] === true && !/^-?\d+$/.test(part))) return undefined;
    missing.add(key);
    all.push(parts);
  }
  for (const condition of conditionsOf(asked, all)) {
    const found = await session.rows(`SELECT ${names} FROM ${into} WHERE ${condition}`);
    for (const parts of found) missing.delete(keyOf(parts.join(BETWEEN), asked));
  }
  return missing;
}

/** One of a statement each, of rows that have one of the keys; of others too where that is faster. */
function conditionsOf(
  { names, isNumber }: AskedKey,
  keys: readonly (readonly string[])[],
): readonly string[] {
  if (keys.length === 0) return [];
  const isOneNumber = isNumber.length === 1 && isNumber[0] === true;
  const ranges = isOneNumber
    ? rangesOf(distinct(Float64Array.from(keys, ([number]) => Number(number))))
    : undefined;
  if (ranges !== undefined) return [betweenOf(names, ranges)];
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

/** Ascending. */
function distinct(numbers: Float64Array): Float64Array {
  let isAscending = true;
  for (let i = 1; i < numbers.length && isAscending; i++)
    isAscending = (numbers[i - 1] ?? 0) < (numbers[i] ?? 0);
  // Nearly always: most tables are read in the order of their key.
  if (isAscending) return numbers;
  return numbers.toSorted().filter((number, i, all) => i === 0 || number !== all[i - 1]);
}

type Range = readonly [first: number, last: number];

/**
 * Of whole numbers that ascend, ranges that have all of them and not many more; `undefined` where that takes too many.
 * The server reads a range of keys in a tenth of the time in which it finds them one by one.
 */
function rangesOf(numbers: Float64Array): readonly Range[] | undefined {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    if (!Number.isSafeInteger(number)) return undefined;
    const last = ranges.at(-1);
    if (last !== undefined && number - last[1] <= RANGE_GAP) last[1] = number;
    else ranges.push([number, number]);
    if (ranges.length > MOST_RANGES) return undefined;
  }
  return ranges;
}

function betweenOf(names: string, ranges: readonly Range[]): string {
  return ranges.map(([first, last]) => `${names} BETWEEN ${first} AND ${last}`).join(' OR ');
}
