import { ERRORS, registeredCodeOf } from '../../domain/errors.js';
import { Database } from '../../store/database.js';
import { findDatabase } from '../find-database.js';
import { secretBoxOf } from '../../store/secret-box-of.js';
import { failed, ok, type Check, type CheckResult } from './check.js';
import { databaseChecks } from './database-checks.js';
import { machineChecks } from './machine-checks.js';

export interface Finding extends CheckResult {
  readonly name: string;
}

/** Runs every check that can be run, one after the other; a check that throws is a failed one. */
export async function examine(
  dataDir: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const check of machineChecks(dataDir)) findings.push(await findingOf(check));
  try {
    const { url, secretKeys } = findDatabase(dataDir, env);
    await using database = await Database.open({
      url,
      applicationName: 'millrace doctor',
      poolSize: 1,
    });
    const [row] = await database.rows<{ version: string }>(
      `SELECT current_setting('server_version') AS version`,
    );
    findings.push({ name: 'database', ...ok(`PostgreSQL ${row?.version ?? ''} answers`) });
    const box = secretKeys.length === 0 ? undefined : secretBoxOf(secretKeys);
    for (const check of databaseChecks(database, box)) findings.push(await findingOf(check));
  } catch (error) {
    findings.push({ name: 'database', ...failureOf(error) });
  }
  return findings;
}

async function findingOf(check: Check): Promise<Finding> {
  try {
    return { name: check.name, ...(await check.run()) };
  } catch (error) {
    return { name: check.name, ...failureOf(error) };
  }
}

function failureOf(error: unknown): CheckResult {
  const code = registeredCodeOf(error);
  return failed(
    error instanceof Error ? error.message : String(error),
    code === undefined ? 'Repeat it with --debug.' : ERRORS[code].help,
  );
}
