import type { Database } from '../../src/store/database.js';
import { ensurePartitions } from '../../src/store/sql/ensure-partitions.sql.js';
import { publishEvents } from '../../src/store/sql/publish-events.sql.js';

const DAYS = [
  'plan_day',
  'upstream_plan_day',
  'instance_plan_day',
  'first_child_day',
  'last_child_day',
];

/** Makes all that was planned, and told, until now as old as if that had been `daysAgo` days ago; that day. */
export async function makeOld(database: Database, daysAgo: number): Promise<string> {
  while ((await publishEvents(database)) > 0);
  const [day] = await database.rows<{ today: string; then: string }>(
    `SELECT today, today - $1::int AS then
       FROM (SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date AS today) clock`,
    [daysAgo],
  );
  if (day === undefined) throw new Error('no day');
  await ensurePartitions(database, day.then, day.then);
  const columns = await database.rows<{ name: string; column: string }>(
    `SELECT c.relname AS name, a.attname AS column
       FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = ANY($1::text[])
      WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace
        AND c.relname NOT IN ('alert_cursor', 'removed_day')`,
    [DAYS],
  );
  for (const { name, column } of columns)
    await database.run(`UPDATE ${name} SET ${column} = $1 WHERE ${column} = $2`, [
      day.then,
      day.today,
    ]);
  return day.then;
}

/** Names of the day's tables that are there, attached or not. */
export async function tablesOfDay(database: Database, day: string): Promise<string[]> {
  const rows = await database.rows<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relname ~ to_char($1::date, '"_"YYYYMMDD$')
      ORDER BY 1`,
    [day],
  );
  return rows.map(({ name }) => name.replace(/_\d{8}$/, ''));
}
