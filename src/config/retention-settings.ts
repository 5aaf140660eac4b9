import { setting, wholeNumber } from './setting.js';

/** Yesterday's plan runs today. */
const MIN_DAYS = 2;
const MAX_DAYS = 36_500;

export const retentionSettings = {
  instanceDays: setting(
    'MILLRACE_KEEP_INSTANCES_DAYS',
    wholeNumber(MIN_DAYS, MAX_DAYS, 30),
    'For so many days instances are kept, with their edges and attempts. A day with something unfinished stays.',
    '30',
  ),
  logDays: setting(
    'MILLRACE_KEEP_LOGS_DAYS',
    wholeNumber(MIN_DAYS, MAX_DAYS, 30),
    'For so many days run logs are kept, and never longer than their instances.',
    '30',
  ),
  eventDays: setting(
    'MILLRACE_KEEP_EVENTS_DAYS',
    wholeNumber(MIN_DAYS, MAX_DAYS, 7),
    'For so many days events are kept. Who follows them and was away for longer reads everything anew.',
    '7',
  ),
  quarantineDays: setting(
    'MILLRACE_KEEP_QUARANTINE_DAYS',
    wholeNumber(MIN_DAYS, MAX_DAYS, 90),
    'For so many days rows in quarantine that nobody has replayed keep their instances from being removed.',
    '90',
  ),
};
