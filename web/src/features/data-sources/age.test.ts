import { ageOf } from './age.ts';

const NOW = Date.parse('2026-01-10T12:00:00Z');

describe('the age of a test', () => {
  it.each([
    ['2026-01-10T12:00:05Z', 0, 'seconds'],
    ['2026-01-10T11:59:01Z', 59, 'seconds'],
    ['2026-01-10T11:59:00Z', 1, 'minutes'],
    ['2026-01-10T11:00:01Z', 59, 'minutes'],
    ['2026-01-09T12:00:01Z', 23, 'hours'],
    ['2026-01-07T12:00:00Z', 3, 'days'],
  ])('of %s is %d %s', (at, count, unit) => {
    expect(ageOf(at, NOW)).toEqual({ count, unit });
  });
});
