import { expect, test } from '@jest/globals';

import { muteEnd } from './mute-window.js';

const SHANGHAI = 'Asia/Shanghai';
const at = (text: string): Date => new Date(text);

test('a window within a day mutes from its first minute to the one before its last', () => {
  const noon = { from: '12:00', to: '13:30' };
  expect(muteEnd(noon, at('2026-11-21T11:59:59+08:00'), SHANGHAI)).toBeUndefined();
  const end = at('2026-11-21T13:30:00+08:00');
  expect(muteEnd(noon, at('2026-11-21T12:00:00+08:00'), SHANGHAI)).toEqual(end);
  expect(muteEnd(noon, at('2026-11-21T13:29:59+08:00'), SHANGHAI)).toEqual(end);
  expect(muteEnd(noon, end, SHANGHAI)).toBeUndefined();
});

test('a window over midnight ends in the morning, of the next day when it has begun in the evening', () => {
  const night = { from: '22:00', to: '07:00' };
  const end = at('2026-11-22T07:00:00+08:00');
  expect(muteEnd(night, at('2026-11-21T23:00:00+08:00'), SHANGHAI)).toEqual(end);
  expect(muteEnd(night, at('2026-11-22T06:00:00+08:00'), SHANGHAI)).toEqual(end);
  expect(muteEnd(night, at('2026-11-22T12:00:00+08:00'), SHANGHAI)).toBeUndefined();
});

test('where clocks change, the window ends when the wall clock has come to its end', () => {
  const night = { from: '22:00', to: '02:30' };
  const spring = muteEnd(night, at('2026-03-29T00:00:00+01:00'), 'Europe/Berlin');
  expect(spring).toEqual(at('2026-03-29T03:00:00+02:00'));
  const autumn = muteEnd(night, at('2026-10-25T00:00:00+02:00'), 'Europe/Berlin');
  expect(autumn).toEqual(at('2026-10-25T02:30:00+02:00'));
});

test('a window without length never mutes', () => {
  expect(
    muteEnd({ from: '10:00', to: '10:00' }, at('2026-11-21T10:00:00Z'), 'UTC'),
  ).toBeUndefined();
});
