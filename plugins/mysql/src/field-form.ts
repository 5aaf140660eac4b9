import { compileFieldCheck, partitionField } from '@millrace/sdk';
import type { FieldCheck } from '@millrace/sdk';

import { trustedField } from './load-columns.js';
import { rulesOf } from './row-encoder.js';
import type { ColumnPair } from './writer-target.js';

/** Writes a field of COPY text, which is not NULL, to `out`; gives the position behind it. */
export type FieldWriter = (
  out: Buffer,
  at: number,
  bytes: Buffer,
  from: number,
  to: number,
) => number;

/** How the fields of a pair are written to the server, so that a strict INSERT stores what it stores of a row. */
export interface FieldForm {
  readonly kind: 'text' | 'boolean' | 'year' | 'bytes' | 'bits' | 'float';
  /** Gives the end of what is to be written; -1 when only the row rules know what becomes of the field. */
  readonly guard: ((bytes: Buffer, from: number, to: number) => number) | undefined;
}

const PLUS = 0x2b;
const ZERO = 0x30;
const ZONE_BYTES = 3;

/** `undefined`: only the row lane can tell. */
export function fieldFormOf(pair: ColumnPair): FieldForm | undefined {
  const { target, partition } = pair;
  const form = formWithoutPartition(pair);
  if (form === undefined || partition === undefined) return form;
  const check = partitionField(rulesOf(pair).check, target, partition);
  const { guard } = form;
  return {
    ...form,
    guard: (bytes, from, to) =>
      check(bytes, from, to) ? (guard === undefined ? to : guard(bytes, from, to)) : -1,
  };
}

function formWithoutPartition(pair: ColumnPair): FieldForm | undefined {
  const { source, target } = pair;
  const [from, to] = [source.type, target.type];
  if (from.kind === 'float' && to.kind === 'float' && to.bits === 32 && source.unchecked !== true) {
    return from.bits === 32 ? { kind: 'float', guard: finite } : undefined;
  }
  if (trustedField(pair) === undefined) return checked(compileFieldCheck(source, target, 'mysql'));
  // As text, 0 would be 2000.
  if (/^year\b/i.test(target.nativeType)) return { kind: 'year', guard: undefined };
  if (from.kind === 'boolean') return { kind: 'boolean', guard: undefined };
  if (to.kind === 'bytes' || to.kind === 'bits') return { kind: to.kind, guard: undefined };
  // A year of five digits or an era would be read as another date.
  if (to.kind === 'date' || to.kind === 'timestamp') return instant(pair);
  return { kind: 'text', guard: undefined };
}

function instant({ source, target }: ColumnPair): FieldForm | undefined {
  const text = { ...source, type: { kind: 'text' } } as const;
  const form = checked(compileFieldCheck(text, target, 'mysql'));
  const guard = form?.guard;
  const isZoned = source.type.kind === 'timestamp' && source.type.zoned;
  if (guard === undefined || !isZoned) return form;
  return {
    kind: 'text',
    guard: (bytes, from, to) => {
      const end = to - ZONE_BYTES;
      const isUtc = bytes[end] === PLUS && bytes[end + 1] === ZERO && bytes[end + 2] === ZERO;
      return isUtc ? guard(bytes, from, end) : -1;
    },
  };
}

function checked(check: FieldCheck | undefined): FieldForm | undefined {
  return check && { kind: 'text', guard: (bytes, from, to) => (check(bytes, from, to) ? to : -1) };
}

/** NaN and Infinity are left to the row rules, which refuse them. */
function finite(bytes: Buffer, from: number, to: number): number {
  return Number.isFinite(Number(bytes.toString('latin1', from, to))) ? to : -1;
}
