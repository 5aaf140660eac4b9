import { loadConfig } from '../../config/load-config.js';
import { ERRORS } from '../../domain/error-registry.js';
import { registeredCodeOf } from '../../domain/errors.js';
import type { Database } from '../../store/database.js';
import { CliError } from '../cli-error.js';
import { findDatabase, withDatabase } from '../find-database.js';
import { secretBoxOf } from '../../store/secret-box-of.js';
import { failed, ok, type Check, type CheckResult } from './check.js';
import { databaseChecks } from './database-checks.js';
import { invariantChecks } from './invariant-checks.js';
import { machineChecks } from './machine-checks.js';
import { oldDaysCheck } from './old-days-check.js';
import { planCheck } from './plan-check.js';

export interface Finding extends CheckResult {
  readonly name: string;
}

/**
 * Runs every check that can be run, one after the other; a check that throws is a failed one. `deep` also
 * reads through the whole store.
 */
export async function examine(
  dataDir: string,
  env: Readonly<Record<string, string | undefined>>,
  { deep }: { readonly deep: boolean },
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const check of machineChecks(dataDir)) findings.push(await findingOf(check));
  try {
    const found = findDatabase(dataDir, env);
    await withDatabase(found, 'millrace doctor', async (database) => {
      findings.push({ name: 'database', ...(await checkAnswer(database)) });
      const box = found.secretKeys.length === 0 ? undefined : secretBoxOf(found.secretKeys);
      const deepChecks = deep ? [...invariantChecks(database), planCheck(database)] : [];
      const { retention } = loadConfig('command', env);
      const oldDays = oldDaysCheck(database, retention);
      const checks = [...databaseChecks(database, box), oldDays, ...deepChecks];
      for (const check of checks) findings.push(await findingOf(check));
    });
  } catch (error) {
    findings.push({ name: 'database', ...failureOf(error) });
  }
  return findings;
}

async function checkAnswer(database: Database): Promise<CheckResult> {
  const [row] = await database.rows<{ version: string }>(
    `SELECT current_setting('server_version') AS version`,
  );
  return ok(`PostgreSQL ${row?.version ?? ''} answers`);
}

async function findingOf(check: Check): Promise<Finding> {
  try {
    return { name: check.name, ...(await check.run()) };
  } catch (error) {
    return { name: check.name, ...failureOf(error) };
  }
}

function failureOf(error: unknown): CheckResult {
  if (error instanceof CliError) return failed(error.message, error.fix);
  const code = registeredCodeOf(error);
  return failed(
    error instanceof Error ? error.message : String(error),
    code === undefined ? 'Repeat it with --debug.' : ERRORS[code].help,
  );
}
