import type { Database } from '../../store/database.js';
import { reasonToKeep } from '../../store/sql/keep-reason.sql.js';
import {
  firstKeptDays,
  type KeptDays,
  partitionsBefore,
} from '../../store/sql/remove-partitions.sql.js';
import { type Check, type CheckResult, ok, warning } from './check.js';

/** So many days that stay are looked into; each may be read whole. */
const LOOKED_INTO = 10;

/** Whether what is older than it has to be kept can go, and if not, what holds it. */
export function oldDaysCheck(database: Database, kept: KeptDays): Check {
  return {
    name: 'old days',
    run: async () => (await removalCheck(database)) ?? (await heldCheck(database, kept)),
  };
}

interface ReaderRow {
  readonly child: string;
  readonly pid: number | null;
  readonly name: string;
  readonly state: string | null;
  readonly seconds: number | null;
}

/** A detach waits for all that may still read; `undefined`: none is under way. */
async function removalCheck(database: Database): Promise<CheckResult | undefined> {
  const [row] = await database.rows<ReaderRow>(
    `SELECT i.inhrelid::regclass::text AS child, a.pid, a.state,
            coalesce(nullif(a.application_name, ''), 'unnamed') AS name,
            floor(extract(epoch FROM clock_timestamp() - a.xact_start))::int AS seconds
       FROM pg_inherits i
       LEFT JOIN pg_locks l ON l.relation = i.inhparent AND l.granted
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
       LEFT JOIN pg_stat_activity a ON a.pid = l.pid AND a.pid <> pg_backend_pid()
      WHERE i.inhdetachpending ORDER BY a.xact_start NULLS LAST LIMIT 1`,
  );
  if (row === undefined) return undefined;
  if (row.pid === null) return ok(`${row.child} is being removed; nobody reads it`);
  return warning(
    `${row.child} is to be removed, and pid ${row.pid} (${row.name}, ` +
      `${row.state ?? 'unknown'}), whose transaction began ${row.seconds ?? 0} s ago, may still read it`,
    `End that transaction: SELECT pg_terminate_backend(${row.pid}).`,
  );
}

async function heldCheck(database: Database, kept: KeptDays): Promise<CheckResult> {
  const first = await firstKeptDays(database, kept);
  const parts = await partitionsBefore(database, ['node_instance'], first.instances);
  const held: string[] = [];
  for (const { day } of parts.slice(0, LOOKED_INTO)) {
    const reason = await reasonToKeep(database, day, day >= first.quarantine);
    if (reason !== undefined) held.push(`${day} (${reason})`);
  }
  if (held.length === 0) return ok('none stays for longer than it has to be kept');
  return warning(
    `these stay, though their time is over: ${held.join(', ')}`,
    'Stop what nobody will finish, and replay what waits in quarantine; docs/planning.md says what each word means.',
  );
}
