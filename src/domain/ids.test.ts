import { expect, test } from '@jest/globals';
import { registeredCodeOf } from './errors.js';
import { decodeDayId, decodeId, encodeDayId, encodeId } from './ids.js';

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    return registeredCodeOf(error);
  }
  return undefined;
}

test('an id of a partitioned row carries its plan day and comes back whole', () => {
  expect(encodeDayId('inst', { planDay: '2026-11-21', id: 42 })).toBe('inst_20261121_42');
  expect(decodeDayId('inst', 'inst_20261121_42')).toEqual({ planDay: '2026-11-21', id: 42 });
  expect(decodeDayId('att', `att_20240229_${Number.MAX_SAFE_INTEGER}`)).toEqual({
    planDay: '2024-02-29',
    id: Number.MAX_SAFE_INTEGER,
  });
});

test('an id of a plain row is its kind and number', () => {
  expect(encodeId('wf', 12)).toBe('wf_12');
  expect(decodeId('ver', 'ver_9')).toBe(9);
});

test.each([
  '',
  'inst',
  'inst_42',
  'run_20261121_42',
  'inst_20260230_42',
  'inst_20261121_0',
  'inst_20261121_042',
  'inst_20261121_-1',
  'inst_20261121_42 ',
  'inst_20261121_9007199254740993',
  'INST_20261121_42',
  "inst_20261121_42'; --",
])('"%s" is refused as the id of an instance', (text) => {
  expect(codeOf(() => decodeDayId('inst', text))).toBe('MR-A104');
});

test.each(['ds_3', 'wf_', 'wf_0', 'wf_1.5', 'wf_1_2', 'wf_99999999999999999', 'wf_20261121_1'])(
  '"%s" is refused as the id of a workflow',
  (text) => {
    expect(codeOf(() => decodeId('wf', text))).toBe('MR-A104');
  },
);

test('a row without a real plan day or number cannot be given an id', () => {
  expect(() => encodeDayId('inst', { planDay: '2026-02-30', id: 1 })).toThrow(RangeError);
  expect(() => encodeId('wf', 0)).toThrow(RangeError);
  expect(() => encodeId('wf', 2 ** 53)).toThrow(RangeError);
});
