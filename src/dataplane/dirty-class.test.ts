import { describe, expect, test } from '@jest/globals';
import type { Column, LogicalType } from '@millrace/sdk';
import { compileCheck } from '@millrace/sdk';
import { dirtyClassOf } from './dirty-class.js';

function reasonOf(type: LogicalType, cell: string | null, nativeType = ''): string {
  const column: Column = { name: 'c', nativeType, type, nullable: false };
  return compileCheck(column, 'mysql')(cell) ?? 'nothing is wrong';
}

describe('the class of a dirty row', () => {
  test.each([
    ['null', reasonOf({ kind: 'date' }, null)],
    ['range', reasonOf({ kind: 'integer', bits: 8, unsigned: false }, '300')],
    ['conversion', reasonOf({ kind: 'integer', bits: 8, unsigned: false }, 'three')],
    ['conversion', reasonOf({ kind: 'date' }, '2026-02-30')],
    ['range', reasonOf({ kind: 'decimal', precision: 4, scale: 1 }, '1.25')],
    ['length', reasonOf({ kind: 'bits', length: 2 }, '101')],
  ])('is %s where our own check says "%s"', (kind, reason) => {
    expect(dirtyClassOf({ code: 'MR-D202', reason })).toBe(kind);
  });

  test.each([
    ['duplicate-key', '23505'],
    ['duplicate-key', '1062'],
    ['check', '4025'],
    ['conversion', '22P02'],
    ['check', '23000'],
    ['encoding', 'MR-D241'],
    ['function', 'MR-D217'],
    ['other', 'P0001'],
  ])('is %s for %s', (kind, code) => {
    expect(dirtyClassOf({ code, reason: '' })).toBe(kind);
  });
});
