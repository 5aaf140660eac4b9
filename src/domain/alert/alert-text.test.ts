import { expect, test } from '@jest/globals';

import { minuteOfDay, timeOfMinute } from './alert-rule.js';
import { type AlertFacts, alertText } from './alert-text.js';

const NOTHING: AlertFacts = {
  condition: 'failed',
  workflow: null,
  node: null,
  resourceGroup: null,
  backfill: null,
  timezone: null,
  bizdate: '2026-11-20',
  errorCode: null,
  instances: null,
  by: null,
  since: null,
};

test.each([
  [
    { condition: 'failed', workflow: 'orders', node: 'load', errorCode: 'MR-D102' },
    'orders / load failed for business date 2026-11-20 (MR-D102 The server does not answer)',
  ],
  [
    { condition: 'unfinished', workflow: 'orders', instances: 2, by: '06:00', timezone: 'UTC' },
    'orders was not finished by 06:00 UTC for business date 2026-11-20: 2 instances are left',
  ],
  [
    { condition: 'plan_missing', timezone: 'UTC' },
    'The plan of business date 2026-11-20 (UTC) was not made by its seal',
  ],
  [
    { condition: 'plan_jump', timezone: 'UTC', instances: 72 },
    'The plan of business date 2026-11-20 (UTC) has 72 instances, far from the usual number',
  ],
  [
    {
      condition: 'backfill_paused',
      workflow: 'orders',
      backfill: 'november',
      bizdate: null,
      errorCode: 'MR-S191',
    },
    'The backfill november of orders has paused (MR-S191 What the backfill was accepted with has changed before all of it was made): it cannot be made any further',
  ],
  [
    { condition: 'no_worker', resourceGroup: 'default', since: new Date('2026-11-21T01:00:00Z') },
    'No worker of the resource group default has been alive since 2026-11-21T01:00:00.000Z',
  ],
] as const)('an alert reads as one line that says what it is about: %#', (facts, text) => {
  expect(alertText({ ...NOTHING, ...facts })).toBe(text);
});

test('hours of a deadline go up to 47', () => {
  expect(minuteOfDay('00:00')).toBe(0);
  expect(minuteOfDay('47:59')).toBe(2879);
  expect(timeOfMinute(2879)).toBe('47:59');
  for (const wrong of ['48:00', '6:00', '06:60', '']) expect(minuteOfDay(wrong)).toBeUndefined();
});
