import { describe, expect, test } from '@jest/globals';

import { timeAxis } from './time-axis.ts';
import { clockChanges, instantOf, localMs } from '../../ui/zone-clock.ts';

const BERLIN = 'Europe/Berlin';
const at = (text: string): number => Date.parse(text);
const axis = (from: string, to: string, zone = BERLIN, width = 1_000) =>
  timeAxis({ from: at(from), to: at(to) }, { width, zone, language: 'en' });

describe('the axis', () => {
  test('has ticks at round times on the wall of its zone', () => {
    const { ticks, stretches } = axis('2026-01-10T00:10:00Z', '2026-01-10T06:10:00Z');
    expect(ticks.map(({ label }) => label)).toEqual([
      '01:30',
      '02:00',
      '02:30',
      '03:00',
      '03:30',
      '04:00',
      '04:30',
      '05:00',
      '05:30',
      '06:00',
      '06:30',
      '07:00',
    ]);
    expect(stretches.map(({ label }) => label)).toEqual(['2026-01-10 (Sat)']);
  });

  test('goes from tenths of a second to months', () => {
    const labels = (from: string, to: string): string[] =>
      axis(from, to, 'UTC').ticks.map(({ label }) => label);
    expect(labels('2026-01-10T00:00:00.000Z', '2026-01-10T00:00:01.000Z').slice(0, 2)).toEqual([
      '00:00:00.0',
      '00:00:00.1',
    ]);
    expect(labels('2026-01-01T00:00:00Z', '2026-06-01T00:00:00Z')).toContain('2026-03');
  });

  test('says the day where a new one begins', () => {
    const { stretches } = axis('2026-01-10T12:00:00Z', '2026-01-11T12:00:00Z', 'UTC');
    expect(stretches).toEqual([
      {
        from: at('2026-01-10T12:00:00Z'),
        to: at('2026-01-11T00:00:00Z'),
        label: '2026-01-10 (Sat)',
      },
      {
        from: at('2026-01-11T00:00:00Z'),
        to: at('2026-01-11T12:00:00Z'),
        label: '2026-01-11 (Sun)',
      },
    ]);
  });

  test('follows the wall on the day on which clocks are put forward, and marks the hour', () => {
    const { ticks, changes } = axis('2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z');
    expect(ticks.map(({ label }) => label)).toEqual([
      '00:00',
      '03:00',
      '04:00',
      '06:00',
      '08:00',
      '10:00',
      '12:00',
      '14:00',
      '16:00',
      '18:00',
      '20:00',
      '22:00',
      '00:00',
    ]);
    expect(changes).toEqual([{ at: at('2026-03-29T01:00:00Z'), byMs: 3_600_000 }]);
  });

  test('marks the hour that comes twice', () => {
    expect(
      clockChanges({ from: at('2026-10-24T00:00:00Z'), to: at('2026-10-26T00:00:00Z') }, BERLIN),
    ).toEqual([{ at: at('2026-10-25T01:00:00Z'), byMs: -3_600_000 }]);
  });

  test('knows zones whose clocks are not whole hours apart', () => {
    const { ticks } = axis('2026-01-10T00:00:00Z', '2026-01-10T06:00:00Z', 'Asia/Kathmandu');
    expect(ticks[0]?.label).toBe('06:00');
    expect(localMs(at('2026-01-10T00:15:00Z'), 'Asia/Kathmandu')).toBe(at('2026-01-10T06:00:00Z'));
    expect(instantOf(at('2026-01-10T06:00:00Z'), 'Asia/Kathmandu')).toBe(
      at('2026-01-10T00:15:00Z'),
    );
  });
});
