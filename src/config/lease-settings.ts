import { setting, wholeNumber } from './setting.js';

const DAY_MS = 86_400_000;

export const leaseSettings = {
  leaseMs: setting(
    'MILLRACE_LEASE_MS',
    wholeNumber(100, DAY_MS, 30_000),
    'A worker that has not renewed for so long has lost its attempts.',
    '30000',
  ),
  renewMs: setting(
    'MILLRACE_LEASE_RENEW_MS',
    wholeNumber(20, DAY_MS, 5_000),
    'How often a worker renews.',
    '5000',
  ),
  stopMs: setting(
    'MILLRACE_LEASE_STOP_MS',
    wholeNumber(40, DAY_MS, 20_000),
    'A worker that could not renew for so long stops its attempts by itself.',
    '20000',
  ),
  killMs: setting(
    'MILLRACE_LEASE_KILL_MS',
    wholeNumber(60, DAY_MS, 25_000),
    'What has not stopped after so long without renewal is killed, before somebody else may start it.',
    '25000',
  ),
};
