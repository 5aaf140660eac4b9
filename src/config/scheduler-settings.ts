import { DEFAULT_JUMP_FACTOR } from '../domain/plan/size-jump.js';
import { decimalNumber, setting, timeOfDay, wholeNumber } from './setting.js';

const YEAR_MS = 366 * 86_400_000;

export const schedulerSettings = {
  planCutoff: setting(
    'MILLRACE_PLAN_CUTOFF',
    timeOfDay('22:00'),
    'What is submitted before this time of the workspace is in the plan of the next day.',
    '22:00',
  ),
  planSeal: setting(
    'MILLRACE_PLAN_SEAL',
    timeOfDay('23:30'),
    'From this time on the plan of the next day stands.',
    '23:30',
  ),
  planJumpFactor: setting(
    'MILLRACE_PLAN_JUMP_FACTOR',
    decimalNumber(1.1, 100, DEFAULT_JUMP_FACTOR),
    'A plan with more than so many times the usual instances, or fewer than that part of them, is warned of.',
    String(DEFAULT_JUMP_FACTOR),
  ),
  clockOffsetMs: setting(
    'MILLRACE_CLOCK_OFFSET_MS',
    wholeNumber(-50 * YEAR_MS, 50 * YEAR_MS, 0),
    'Moves the clock of the scheduler, so that another day can be tried. Leases are not moved.',
    '0',
  ),
};
