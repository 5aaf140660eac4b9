import type { Database } from '../../store/database.js';
import { type Check, type CheckResult, ok, warning } from './check.js';

/** Whether the removal of an old day is held up, and by whom: a detach waits for all that may still read. */
export function oldDaysCheck(database: Database): Check {
  return { name: 'old days', run: () => check(database) };
}

interface ReaderRow {
  readonly child: string;
  readonly pid: number | null;
  readonly name: string;
  readonly state: string | null;
  readonly seconds: number | null;
}

async function check(database: Database): Promise<CheckResult> {
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
  if (row === undefined) return ok('none is being removed');
  if (row.pid === null) return ok(`${row.child} is being removed; nobody reads it`);
  return warning(
    `${row.child} is to be removed, and pid ${row.pid} (${row.name}, ` +
      `${row.state ?? 'unknown'}), whose transaction began ${row.seconds ?? 0} s ago, may still read it`,
    `End that transaction: SELECT pg_terminate_backend(${row.pid}).`,
  );
}
