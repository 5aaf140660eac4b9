import { expect, test } from '@jest/globals';
import { logicalTypeOf } from './column-type.js';

test.each([
  ['integer', { kind: 'integer', bits: 32, unsigned: false }],
  ['numeric(10,2)', { kind: 'decimal', precision: 10, scale: 2 }],
  ['numeric(3,-2)', { kind: 'decimal', precision: 3, scale: -2 }],
  ['numeric', { kind: 'decimal' }],
  ['character varying(20)', { kind: 'text', length: 20 }],
  ['character(3)', { kind: 'text', length: 3, padded: true }],
  ['timestamp(3) without time zone', { kind: 'timestamp', fraction: 3, zoned: false }],
  ['timestamp with time zone', { kind: 'timestamp', fraction: 6, zoned: true }],
  ['time without time zone', { kind: 'time', fraction: 6, zoned: false }],
  ['interval(3)', { kind: 'interval' }],
  ['interval day to second', { kind: 'interval' }],
  ['bit(8)', { kind: 'bits', length: 8 }],
  ['bit varying(8)', { kind: 'other' }],
  ['json', { kind: 'json' }],
  ['jsonb', { kind: 'json', normalized: true }],
  ['integer[]', { kind: 'other' }],
  ['"Mood"', { kind: 'other' }],
])('%s', (native, expected) => {
  expect(logicalTypeOf(native)).toEqual(expected);
});
