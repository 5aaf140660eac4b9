import type { BusinessCalendar } from '../../domain/calendar/business-calendar.js';
import type { Weekday } from '../../domain/calendar/weekday.js';
import { MillraceError } from '../../domain/errors.js';
import { type Sql, sqlStateOf } from '../database.js';

export interface CalendarFields {
  readonly description: string;
  readonly workWeekdays: readonly Weekday[];
  /** Days off and days on that differ from the weekly pattern, `YYYY-MM-DD`, ascending. */
  readonly holidays: readonly string[];
  readonly workDays: readonly string[];
}

export interface Calendar extends CalendarFields {
  readonly id: number;
  readonly workspaceId: number;
  readonly name: string;
  /** Rises with every change; the ETag. */
  readonly revision: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface NewCalendar extends CalendarFields {
  readonly workspaceId: number;
  readonly userId: number;
  readonly name: string;
}

const UNIQUE_VIOLATION = '23505';

const SELECT = `
  SELECT c.id, c.workspace_id AS "workspaceId", c.name, c.description,
         c.work_weekdays AS "workWeekdays",
         ARRAY(SELECT day::text FROM business_calendar_day d
                WHERE d.calendar_id = c.id AND NOT d.is_work_day ORDER BY day) AS holidays,
         ARRAY(SELECT day::text FROM business_calendar_day d
                WHERE d.calendar_id = c.id AND d.is_work_day ORDER BY day) AS "workDays",
         c.revision, c.created_at AS "createdAt", c.updated_at AS "updatedAt"
    FROM business_calendar c`;

/** Page of the workspace's business calendars by name, after `afterName`. */
export async function listCalendars(
  sql: Sql,
  page: { readonly workspaceId: number; readonly afterName: string; readonly limit: number },
): Promise<Calendar[]> {
  return await sql.rows<Calendar>(
    `${SELECT} WHERE c.workspace_id = $1 AND c.name > $2 ORDER BY c.name LIMIT $3`,
    [page.workspaceId, page.afterName, page.limit],
  );
}

export async function calendarById(
  sql: Sql,
  workspaceId: number,
  id: number,
): Promise<Calendar | undefined> {
  const rows = await sql.rows<Calendar>(`${SELECT} WHERE c.workspace_id = $1 AND c.id = $2`, [
    workspaceId,
    id,
  ]);
  return rows[0];
}

/** The calendars of these names that there are, ready to ask for days. */
export async function calendarsNamed(
  sql: Sql,
  workspaceId: number,
  names: readonly string[],
): Promise<Map<string, BusinessCalendar>> {
  if (names.length === 0) return new Map();
  return await businessCalendars(sql, workspaceId, `AND c.name = ANY ($2::text[])`, [names]);
}

/**
 * All calendars of the workspace, none of which can be deleted until the transaction ends: what is
 * submitted with one of them must find it when it is planned.
 */
export async function holdCalendars(
  tx: Sql,
  workspaceId: number,
): Promise<Map<string, BusinessCalendar>> {
  await tx.rows(`SELECT FROM business_calendar WHERE workspace_id = $1 ORDER BY id FOR KEY SHARE`, [
    workspaceId,
  ]);
  return await businessCalendars(tx, workspaceId, '', []);
}

async function businessCalendars(
  sql: Sql,
  workspaceId: number,
  condition: string,
  values: readonly unknown[],
): Promise<Map<string, BusinessCalendar>> {
  const rows = await sql.rows<Calendar>(`${SELECT} WHERE c.workspace_id = $1 ${condition}`, [
    workspaceId,
    ...values,
  ]);
  return new Map(
    rows.map((row) => [
      row.name,
      {
        workWeekdays: new Set(row.workWeekdays),
        holidays: new Set(row.holidays),
        workDays: new Set(row.workDays),
      },
    ]),
  );
}

/** Call in a transaction. MR-A105 when the name is taken. */
export async function insertCalendar(tx: Sql, calendar: NewCalendar): Promise<number> {
  try {
    const [row] = await tx.rows<{ id: number }>(
      `INSERT INTO business_calendar (workspace_id, name, description, work_weekdays, created_by)
       VALUES ($1, $2, $3, $4, $5) RETURNING id`,
      [
        calendar.workspaceId,
        calendar.name,
        calendar.description,
        calendar.workWeekdays,
        calendar.userId,
      ],
    );
    const id = row?.id ?? 0;
    await insertDays(tx, id, calendar);
    return id;
  } catch (error) {
    if (sqlStateOf(error) !== UNIQUE_VIOLATION) throw error;
    throw new MillraceError('MR-A105', `a calendar named ${calendar.name} is there already`, {
      cause: error,
    });
  }
}

/** Call in a transaction. `false` when `revision` is not the present one any more. */
export async function updateCalendar(
  tx: Sql,
  current: Calendar,
  fields: CalendarFields,
): Promise<boolean> {
  const changed = await tx.run(
    `UPDATE business_calendar SET description = $3, work_weekdays = $4, revision = revision + 1,
            updated_at = clock_timestamp()
      WHERE id = $1 AND revision = $2`,
    [current.id, current.revision, fields.description, fields.workWeekdays],
  );
  if (changed !== 1) return false;
  await tx.run(`DELETE FROM business_calendar_day WHERE calendar_id = $1`, [current.id]);
  await insertDays(tx, current.id, fields);
  return true;
}

async function insertDays(tx: Sql, id: number, fields: CalendarFields): Promise<void> {
  await tx.run(
    `INSERT INTO business_calendar_day (calendar_id, day, is_work_day)
     SELECT DISTINCT $1::bigint, day, false FROM unnest($2::date[]) AS day
     UNION ALL SELECT DISTINCT $1::bigint, day, true FROM unnest($3::date[]) AS day`,
    [id, fields.holidays, fields.workDays],
  );
}

/**
 * Call in a transaction. `false` when `revision` is not the present one any more; MR-A105 while a version
 * that may still be planned uses it.
 */
export async function deleteCalendar(tx: Sql, calendar: Calendar): Promise<boolean> {
  // Whoever submits holds the row: it is either there before we look for users, or sees it gone.
  await tx.rows(`SELECT FROM business_calendar WHERE id = $1 FOR UPDATE`, [calendar.id]);
  const users = await workflowsUsingCalendar(tx, calendar.workspaceId, calendar.name);
  if (users.length > 0)
    throw new MillraceError('MR-A105', `it is used by the workflows ${users.join(', ')}`);
  return (
    (await tx.run(`DELETE FROM business_calendar WHERE id = $1 AND revision = $2`, [
      calendar.id,
      calendar.revision,
    ])) === 1
  );
}

/** A version is planned until a later one has been in effect for longer than missed days are made up for. */
async function workflowsUsingCalendar(
  sql: Sql,
  workspaceId: number,
  name: string,
): Promise<string[]> {
  const rows = await sql.rows<{ name: string }>(
    `SELECT DISTINCT w.name
       FROM workflow w JOIN workflow_version v ON v.workflow_id = w.id
       JOIN node_version n ON n.version_id = v.id
      WHERE w.workspace_id = $1 AND n.calendar = $2
        AND NOT EXISTS (SELECT FROM workflow_version newer
                         WHERE newer.workflow_id = v.workflow_id AND newer.version > v.version
                           AND newer.first_bizdate < current_date - 8)
      ORDER BY w.name`,
    [workspaceId, name],
  );
  return rows.map((row) => row.name);
}
