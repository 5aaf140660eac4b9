import { type Sql, sqlStateOf } from '../database.js';
import { DAY_LOCKS, NUMBER_OF_DAY } from './hold-days.sql.js';

/** A table of one plan day, as far as its removal has come. */
export interface DayPartition {
  readonly parent: string;
  readonly child: string;
  readonly day: string;
  /** `detaching`: new statements pass it by, older ones are waited for; `detached`: a table of its own. */
  readonly state: 'attached' | 'detaching' | 'detached';
}

/** For how many days what is kept. */
export interface KeptDays {
  readonly instanceDays: number;
  readonly logDays: number;
  readonly eventDays: number;
  readonly quarantineDays: number;
}

/** Whoever still looks at it is waited for, in this round and in the next ones; nobody waits for us. */
const PATIENCE_MS = 5_000;
const QUERY_CANCELED = '57014';

/**
 * The first day that is kept of each kind, by the database's own day in UTC, as plan days are. Logs go with
 * their instances at the latest; events stay until alerts have been looked for in them.
 */
export async function firstKeptDays(
  sql: Sql,
  kept: KeptDays,
): Promise<Record<'instances' | 'logs' | 'events' | 'quarantine', string>> {
  const [first] = await sql.rows<Awaited<ReturnType<typeof firstKeptDays>>>(
    `SELECT today - $1::int AS instances, greatest(today - $2::int, today - $1::int) AS logs,
            least(today - $3::int, (SELECT plan_day FROM alert_cursor)) AS events,
            today - $4::int AS quarantine
       FROM (SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date AS today) AS clock`,
    [kept.instanceDays, kept.logDays, kept.eventDays, kept.quarantineDays],
  );
  if (first === undefined) throw new Error('a SELECT without FROM gave no row');
  return first;
}

/**
 * The tables of all days before `day`, oldest first, and those of any day whose removal has begun: a setting
 * may have been raised since. The days of events are their own, not those of instances.
 */
export async function partitionsBefore(
  sql: Sql,
  parents: readonly string[],
  day: string,
): Promise<DayPartition[]> {
  return await sql.rows<DayPartition>(
    `SELECT parent, child, day, state FROM (
       SELECT parent, place, c.relname AS child, to_date(right(c.relname, 8), 'YYYYMMDD') AS day,
              CASE WHEN i.inhrelid IS NULL THEN 'detached'
                   WHEN i.inhdetachpending THEN 'detaching' ELSE 'attached' END AS state
         FROM unnest($1::text[]) WITH ORDINALITY AS p(parent, place)
         JOIN pg_class c ON c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
          AND c.relname ~ ('^' || parent || '_[0-9]{8}$')
         LEFT JOIN pg_inherits i ON i.inhrelid = c.oid) parts
      WHERE day < $2::date OR state <> 'attached'
         OR (parent <> 'event' AND day IN (SELECT plan_day FROM removed_day))
      -- A parent can have only one partition that is being detached: what was begun comes first.
      ORDER BY state = 'attached', day, place`,
    [parents, day],
  );
}

/**
 * Removes the table of one plan day; false when a statement or a snapshot that may still read it has not
 * ended in {@link PATIENCE_MS}: called again, it goes on from there. Outside of a transaction.
 *
 * DETACH alone takes ACCESS EXCLUSIVE on the parent, and the whole line queues up behind it until the longest
 * query has ended; CONCURRENTLY waits without a lock that the line minds (engine rule 1).
 */
export async function removePartition(sql: Sql, part: DayPartition): Promise<boolean> {
  const { parent, child, state } = part;
  try {
    await sql.run(`SET statement_timeout = ${PATIENCE_MS}`);
    if (state === 'attached')
      await sql.run(`ALTER TABLE ${parent} DETACH PARTITION ${child} CONCURRENTLY`);
    if (state === 'detaching')
      await sql.run(`ALTER TABLE ${parent} DETACH PARTITION ${child} FINALIZE`);
    await sql.run(`DROP TABLE IF EXISTS ${child}`);
    return true;
  } catch (error) {
    if (sqlStateOf(error) === QUERY_CANCELED) return false;
    throw error;
  } finally {
    await sql.run('RESET statement_timeout');
  }
}

/** Runs `work` while nothing of the plan day is started again; `undefined` while something just is. */
export async function aloneWithDay<T>(
  sql: Sql,
  planDay: string,
  work: () => Promise<T>,
): Promise<T | undefined> {
  const lock = `(${DAY_LOCKS}, ${NUMBER_OF_DAY}) AS had FROM (SELECT $1::date AS day) d`;
  const [locked] = await sql.rows<{ had: boolean }>(`SELECT pg_try_advisory_lock${lock}`, [
    planDay,
  ]);
  if (locked?.had !== true) return undefined;
  try {
    return await work();
  } finally {
    await sql.rows(`SELECT pg_advisory_unlock${lock}`, [planDay]);
  }
}
