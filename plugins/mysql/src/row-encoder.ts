import { compileCheck, compileConversion, withinPartition } from '@millrace/sdk';
import type { Cell, CellCheck, Column, Row } from '@millrace/sdk';

import { memberCheckOf } from './member-check.js';
import { bytesLiteral, textLiteral } from './literal.js';
import type { ColumnPair } from './writer-target.js';

export type EncodedRow =
  | { readonly tuple: string }
  | { readonly tuple: undefined; readonly column: string; readonly reason: string };

/** Makes `('1','a',NULL)` of a row, or says which column cannot hold its value unchanged. */
export function compileRowEncoder(pairs: readonly ColumnPair[]): (row: Row) => EncodedRow {
  const columns = pairs.map((pair) => ({
    name: pair.target.name,
    ...rulesOf(pair),
    literal: literalOf(pair.target),
  }));
  return (row) => {
    let tuple = '';
    for (const [i, column] of columns.entries()) {
      const given = row[i] ?? null;
      const cell = column.convert === undefined ? given : column.convert(given);
      const reason = column.check(cell);
      if (reason !== undefined) return { tuple: undefined, column: column.name, reason };
      tuple += `${i === 0 ? '(' : ','}${cell === null ? 'NULL' : column.literal(cell)}`;
    }
    return { tuple: `${tuple})` };
  };
}

/** The row rules of a column: how its cells are written here, and which the target cannot hold. */
export function rulesOf({ source, target, partition }: ColumnPair): {
  readonly convert: ((cell: Cell) => Cell) | undefined;
  readonly check: CellCheck;
} {
  const general = compileCheck(target, 'mysql', source);
  const checkMore = moreChecksOf(target);
  const check: CellCheck =
    checkMore === undefined ? general : (cell) => general(cell) ?? checkMore(cell);
  return {
    convert: compileConversion(source, target, 'mysql'),
    check: partition === undefined ? check : withinPartition(check, target, partition),
  };
}

function moreChecksOf(target: Column): ((cell: Cell) => string | undefined) | undefined {
  if (isYear(target)) {
    // 5 would become 2005.
    return (cell) =>
      typeof cell !== 'string' || cell === '0' || (Number(cell) >= 1901 && Number(cell) <= 2155)
        ? undefined
        : 'not 0 or a year from 1901 to 2155';
  }
  return memberCheckOf(target.nativeType);
}

function literalOf(target: Column): (cell: string | Uint8Array) => string {
  const year = isYear(target);
  const { type } = target;
  const bits = type.kind === 'bits';
  const isFloat32 = type.kind === 'float' && type.bits === 32;
  return (cell) => {
    if (typeof cell !== 'string') return bytesLiteral(cell);
    if (bits) return `b'${cell}'`;
    if (isFloat32) return textLiteral(doubleText(cell));
    // As text '0' would be 2000.
    return textLiteral(year ? cell.padStart(4, '0') : cell);
  };
}

/**
 * The double that equals the float. The shortest text of the largest float is a little more than it, and
 * the server refuses that as out of range before it rounds.
 */
export function doubleText(cell: string): string {
  const value = Math.fround(Number(cell));
  return value === 0 || !Number.isFinite(value) ? cell : String(value);
}

function isYear(target: Column): boolean {
  return /^year\b/i.test(target.nativeType);
}
