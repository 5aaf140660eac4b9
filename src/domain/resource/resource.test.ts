import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { freeSlots } from './free-slots.js';
import { PRIORITY_STEP_MS, rankOf } from './rank-of.js';

const at = (minute: number): Date => new Date(Date.UTC(2026, 10, 21, 0, minute));

test('of two rows that became ready together the one of higher priority goes first', () => {
  expect(rankOf({ readyAt: at(0), priority: 8 })).toBeLessThan(
    rankOf({ readyAt: at(0), priority: 1 }),
  );
});

test('of two rows of one priority the older goes first', () => {
  expect(rankOf({ readyAt: at(0), priority: 3 })).toBeLessThan(
    rankOf({ readyAt: at(1), priority: 3 }),
  );
});

test('ten minutes of waiting are worth one step of priority', () => {
  const old = (minute: number) => rankOf({ readyAt: at(minute), priority: 1 });
  expect(old(0)).toBeLessThan(rankOf({ readyAt: at(11), priority: 2 }));
  expect(old(0)).toBe(rankOf({ readyAt: at(10), priority: 2 }));
  expect(old(0)).toBeGreaterThan(rankOf({ readyAt: at(9), priority: 2 }));
});

test('no row of any priority goes before one that is 100 minutes older', () => {
  const priority = fc.integer({ min: 1, max: 11 });
  fc.assert(
    fc.property(priority, priority, fc.nat(1e9), (low, high, ms) => {
      const old = new Date(ms);
      const fresh = new Date(ms + 10 * PRIORITY_STEP_MS + 1);
      expect(rankOf({ readyAt: old, priority: low })).toBeLessThan(
        rankOf({ readyAt: fresh, priority: high }),
      );
    }),
  );
});

test.each([0, 12, 1.5, Number.NaN])('%p is refused as a priority', (priority) => {
  expect(() => rankOf({ readyAt: at(0), priority })).toThrow(RangeError);
});

test('free slots are what the running attempts leave, never less than none', () => {
  expect(freeSlots({ slots: 10, running: [] })).toBe(10);
  expect(freeSlots({ slots: 10, running: [1, 2, 4] })).toBe(3);
  expect(freeSlots({ slots: 2, running: [1, 1, 1] })).toBe(0);
});
