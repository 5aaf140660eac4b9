import { MillraceError } from '../../domain/errors.js';
import type { Database } from '../../store/database.js';
import { checkPlans } from '../../store/repositories/plan-repository.js';
import { type Check, type CheckResult, ok } from './check.js';

/** Whether sealed plans are still what they were sealed as. */
export function planCheck(database: Database): Check {
  return { name: 'plan checksums', run: () => check(database) };
}

async function check(database: Database): Promise<CheckResult> {
  const { checked, changed } = await checkPlans(database);
  if (changed.length === 0) return ok(`${checked} sealed plans are what they were`);
  const named = changed.map(
    ({ workspace, timezone, bizdate, checksum, now }) =>
      `${workspace} ${bizdate} (${timezone}): ${checksum} at its seal, ${now} now`,
  );
  throw new MillraceError('MR-S170', named.join('; '));
}
