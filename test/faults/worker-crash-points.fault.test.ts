import { test } from '@jest/globals';

import { CRASH_TIMEOUT_MS, DAYS, killAtPoint, KILLS } from '../support/crash-day.js';

test.each([
  { name: 'sql:before-commit', passes: DAYS, in: 'worker' },
  { name: 'sql:after-commit', passes: DAYS, in: 'worker' },
  { name: 'writer:before-ledger', passes: 2 * DAYS, in: 'worker' },
  { name: 'writer:after-commit', passes: 2 * DAYS, in: 'worker' },
  { name: 'sync:before-finalize', passes: 2 * DAYS, in: 'worker' },
  { name: 'worker:before-finish', passes: 3 * DAYS, in: 'worker' },
  { name: 'worker:after-finish', passes: 3 * DAYS, in: 'worker' },
] as const)(
  `after ${KILLS} kills at $name all days end green and the target has each row once`,
  killAtPoint,
  CRASH_TIMEOUT_MS,
);
