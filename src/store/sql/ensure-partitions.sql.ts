import type { Sql } from '../database.js';

/** Parents by plan day, with the storage options of their partitions (a parent can have none). */
const PARENTS: Readonly<Record<string, string>> = {
  workflow_instance: '',
  // Rewritten about five times in its life: room on the page keeps those updates HOT. A transaction that ends
  // hundreds of neighbours finds nothing pruned yet and needs room for a second version of each.
  node_instance: 'WITH (fillfactor = 50)',
  node_instance_detail: '',
  instance_edge: 'WITH (fillfactor = 50)',
  attempt: 'WITH (fillfactor = 85)',
  event: '',
  log_chunk: '',
  dirty_record: '',
};

/** What goes with the instances of a day. They go first: nothing is then said of those that are left. */
export const PARENTS_OF_INSTANCES = [
  'node_instance',
  'workflow_instance',
  'instance_edge',
  'node_instance_detail',
  'attempt',
  'dirty_record',
] as const;

const LOCK = 7_263_001;

/**
 * Makes the day partitions `<parent>_YYYYMMDD` of every plan day in `fromDay`..`toDay` (`YYYY-MM-DD`,
 * inclusive), of all parents or those that are named. Does nothing for those that exist; two callers at
 * once wait for each other.
 *
 * CREATE and ATTACH, never CREATE … PARTITION OF: that one takes ACCESS EXCLUSIVE on the parent and
 * stops the line behind any open transaction (engine rule 1).
 */
export async function ensurePartitions(
  sql: Sql,
  fromDay: string,
  toDay: string,
  parents: readonly string[] = Object.keys(PARENTS),
): Promise<void> {
  for (const day of [fromDay, toDay]) {
    if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) throw new RangeError(`not a day: ${day}`);
  }
  const missing = await sql.rows<{ parent: string; day: string; child: string }>(
    `SELECT parent, to_char(day, 'YYYY-MM-DD') AS day, parent || to_char(day, '_YYYYMMDD') AS child
       FROM unnest($1::text[]) AS parent, generate_series($2::date, $3::date, interval '1 day') AS day
      WHERE to_regclass(parent) IS NOT NULL
        AND to_regclass(parent || to_char(day, '_YYYYMMDD')) IS NULL
      ORDER BY day, parent`,
    [parents, fromDay, toDay],
  );
  for (const { parent, day, child } of missing) {
    // One short transaction each: a parent is locked for one attach, not for all of them.
    await sql.run(`DO $$ BEGIN
      PERFORM pg_advisory_xact_lock(${LOCK});
      IF to_regclass('${child}') IS NOT NULL THEN RETURN; END IF;
      CREATE TABLE ${child} (LIKE ${parent} INCLUDING ALL) ${PARENTS[parent] ?? ''};
      ALTER TABLE ${parent} ATTACH PARTITION ${child}
        FOR VALUES FROM ('${day}') TO ('${nextDay(day)}');
    END $$`);
  }
}

function nextDay(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
}
