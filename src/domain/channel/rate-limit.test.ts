import { expect, test } from '@jest/globals';
import { overlapOf, rateAt } from './rate-limit.js';

const LIMIT = {
  bytesPerSecond: 10,
  windows: [
    { from: '08:00', to: '20:00', bytesPerSecond: 5, rowsPerSecond: 100 },
    { from: '23:30', to: '01:00' },
  ],
};

test.each([
  ['07:59', { bytesPerSecond: 10, rowsPerSecond: undefined }],
  ['08:00', { bytesPerSecond: 5, rowsPerSecond: 100 }],
  ['19:59:59', { bytesPerSecond: 5, rowsPerSecond: 100 }],
  ['20:00', { bytesPerSecond: 10, rowsPerSecond: undefined }],
  ['23:30', { bytesPerSecond: undefined, rowsPerSecond: undefined }],
  ['00:59', { bytesPerSecond: undefined, rowsPerSecond: undefined }],
  ['01:00', { bytesPerSecond: 10, rowsPerSecond: undefined }],
])('at %s the window that holds decides, and the limit itself outside of them', (time, rate) => {
  expect(rateAt(LIMIT, time)).toEqual(rate);
});

test('windows that hold at the same time are found, also around midnight', () => {
  const window = (from: string, to: string): { from: string; to: string } => ({ from, to });
  expect(overlapOf([window('08:00', '12:00'), window('12:00', '14:00')])).toBeUndefined();
  expect(overlapOf([window('08:00', '12:00'), window('11:59', '14:00')])).toEqual([0, 1]);
  expect(
    overlapOf([window('22:00', '06:00'), window('07:00', '08:00'), window('05:00', '06:30')]),
  ).toEqual([0, 2]);
  expect(overlapOf([window('05:00', '06:30'), window('22:00', '06:00')])).toEqual([0, 1]);
});
