import { pendingMigrations } from '../../store/run-migrations.js';
import type { Database } from '../../store/database.js';
import type { SecretBox } from '../../store/secret-box.js';
import { failed, ok, warning, type Check, type CheckResult } from './check.js';

const OLD_SNAPSHOT_SECONDS = 60;
const CLOCK_TOLERANCE_MS = 2_000;

/** What can be said once the database answers. `secrets` is absent when no key is at hand. */
export function databaseChecks(database: Database, secrets: SecretBox | undefined): Check[] {
  return [
    { name: 'migrations', run: () => checkMigrations(database) },
    { name: 'secret key', run: () => checkKeys(database, secrets) },
    { name: 'workers', run: () => checkWorkers(database) },
    { name: 'oldest snapshot', run: () => checkHorizon(database) },
    { name: 'clock', run: () => checkClock(database) },
  ];
}

async function checkMigrations(database: Database): Promise<CheckResult> {
  const pending = await pendingMigrations(database);
  return pending.length === 0
    ? ok('all applied')
    : failed(`not applied: ${pending.join(', ')}`, 'Run `millrace migrate`.');
}

async function checkKeys(database: Database, secrets: SecretBox | undefined): Promise<CheckResult> {
  if (secrets === undefined) {
    return warning('no key at hand to compare', 'Set MILLRACE_SECRET_KEY_FILE to the key file.');
  }
  // On a database without keys the check would make ours known: a doctor does not write.
  const [known] = await database.rows<{ count: number }>(
    'SELECT count(*) AS count FROM secret_key',
  );
  if (known?.count === 0) return ok('no record has been encrypted yet');
  await secrets.verifyKeys(database);
  return ok('opens the records of this database');
}

interface GroupRow {
  readonly name: string;
  readonly alive: number;
  readonly ready: number;
}

async function checkWorkers(database: Database): Promise<CheckResult> {
  const groups = await database.rows<GroupRow>(`
    SELECT g.name,
           (SELECT count(*) FROM worker w JOIN worker_lease l ON l.worker_id = w.id
             WHERE w.resource_group_id = g.id AND w.ended_at IS NULL
               AND l.lease_until > clock_timestamp()) AS alive,
           (SELECT count(*) FROM ready_instance r WHERE r.resource_group_id = g.id) AS ready
      FROM resource_group g ORDER BY g.name`);
  const detail = groups
    .map((g) => `${g.name}: ${g.alive} workers alive, ${g.ready} instances wait for one`)
    .join('; ');
  const stuck = groups.filter((g) => g.alive === 0 && g.ready > 0);
  const fix = 'Start a worker of that resource group (`npm start` starts two of "default").';
  if (stuck.length > 0) return failed(detail, fix);
  return groups.some((g) => g.alive > 0) ? ok(detail) : warning(detail || 'no resource group', fix);
}

interface HolderRow {
  readonly pid: number;
  readonly application_name: string;
  readonly datname: string | null;
  readonly state: string | null;
  readonly seconds: number;
  readonly age: number;
}

/**
 * One session with an old snapshot keeps every dead row of the line alive and halved its speed when it
 * was measured (engine rule 2), so the session has to be named. Slots hold the horizon as well.
 */
async function checkHorizon(database: Database): Promise<CheckResult> {
  const holders = await database.rows<HolderRow>(`
    SELECT pid, application_name, datname, state,
           floor(extract(epoch FROM clock_timestamp() - coalesce(xact_start, query_start)))::int AS seconds,
           greatest(age(backend_xmin), age(backend_xid)) AS age
      FROM pg_stat_activity
     WHERE (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL) AND pid <> pg_backend_pid()
     ORDER BY age DESC, seconds DESC NULLS LAST LIMIT 1`);
  const slots = await database.rows<{ slot_name: string; age: number }>(`
    SELECT slot_name, greatest(age(xmin), age(catalog_xmin)) AS age FROM pg_replication_slots
     WHERE NOT active AND (xmin IS NOT NULL OR catalog_xmin IS NOT NULL) ORDER BY age DESC LIMIT 1`);
  const slot = slots[0];
  if (slot !== undefined) {
    return warning(
      `replication slot ${slot.slot_name}, which nobody reads, holds ${slot.age} transactions`,
      'Drop the slot if its reader is gone.',
    );
  }
  const holder = holders[0];
  if (holder === undefined) return ok('no session holds one');
  const detail =
    `pid ${holder.pid} (${holder.application_name || 'unnamed'}, database ${holder.datname ?? '-'}, ` +
    `${holder.state ?? 'unknown'}) for ${holder.seconds} s, ${holder.age} transactions`;
  if (holder.seconds < OLD_SNAPSHOT_SECONDS) return ok(detail);
  return warning(detail, `End that transaction: SELECT pg_terminate_backend(${holder.pid}).`);
}

/** Leases run on the database's clock; a worker's own clock must not be far from it. */
async function checkClock(database: Database): Promise<CheckResult> {
  const before = Date.now();
  const rows = await database.rows<{ now: Date }>('SELECT clock_timestamp() AS now');
  const middle = (before + Date.now()) / 2;
  const differenceMs = Math.round((rows[0]?.now.getTime() ?? middle) - middle);
  const detail = `the database is ${Math.abs(differenceMs)} ms ${differenceMs < 0 ? 'behind' : 'ahead'}`;
  return Math.abs(differenceMs) <= CLOCK_TOLERANCE_MS
    ? ok(detail)
    : warning(detail, 'Let both machines follow the same time server.');
}
