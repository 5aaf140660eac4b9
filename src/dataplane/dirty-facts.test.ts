import { describe, expect, test } from '@jest/globals';
import type { Column, LogicalType } from '@millrace/sdk';
import { compileCheck } from '@millrace/sdk';
import { dirtyClassOf, dirtyFactsOf } from './dirty-facts.js';

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

describe('what the engine adds to a refusal', () => {
  test.each([
    ['1406', "Data too long for column 'name' at row 1", 'name', '22001'],
    ['1366', 'Incorrect integer value: `x` for column `shop`.`t`.`a b` at row 3', 'a b', 'HY000'],
    ['1048', "Column 'id' cannot be null", 'id', '23000'],
    ['1062', "Duplicate entry '1' for key 'PRIMARY'", undefined, '23000'],
    ['23505', 'duplicate key value violates unique constraint "column \'x\'"', undefined, '23505'],
    ['MR-D202', "longer than 5 characters for column 'x'", undefined, undefined],
  ])('of %s %s: column %s, SQLSTATE %s', (code, reason, column, sqlState) => {
    const facts = dirtyFactsOf({ code, reason });
    expect([facts.column, facts.sqlState]).toEqual([column, sqlState]);
  });
});
