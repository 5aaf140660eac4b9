import { MillraceError } from '../../domain/errors.js';
import type { Database, Sql } from '../../store/database.js';
import { insertPlan } from '../../store/sql/insert-plan.sql.js';
import { createRunGroup } from '../run-workflow.js';
import { planBackfill } from './plan-backfill.js';
import { requirePlanned } from './plan-token.js';
import type { BackfillOrderOptions, PlannedBackfill } from './planned-backfill.js';

export interface BackfillOptions extends BackfillOrderOptions {
  readonly userId: number | null;
  readonly name: string;
  /** Of the plan that the user has seen: refuses a world that has changed since. */
  readonly planToken?: string | undefined;
}

export interface BackfillStarted {
  readonly runGroupId: number;
  readonly instances: number;
  /** How many business dates. */
  readonly bizdates: number;
}

interface RunGroup {
  readonly id: number;
  readonly planDay: string;
}

/**
 * Makes all instances of a backfill as one run group. The first business dates are open, as many as it
 * runs at once; the others wait until the one so many places before them is over.
 */
export async function createBackfill(
  database: Database,
  now: Date,
  options: BackfillOptions,
): Promise<BackfillStarted> {
  return await database.transaction(async (tx) => {
    const planned = await planBackfill(tx, now, now.toISOString().slice(0, 10), options);
    if (options.planToken !== undefined) requirePlanned(options.planToken, options, planned);
    const dates = planned.dates.filter(({ plan }) => plan.instances.length > 0);
    if (dates.length === 0) throw nothingToRun(planned);
    const { workspaceId } = planned.version;
    const group = await createRunGroup(
      tx,
      'backfill',
      options.name,
      workspaceId,
      specOf(options, planned),
    );
    await insertBackfill(tx, group, planned, options);
    const instances = await insertDates(tx, now, group, { ...planned, dates }, options);
    return { runGroupId: group.id, instances, bizdates: dates.length };
  });
}

function nothingToRun({ totals }: PlannedBackfill): MillraceError {
  return new MillraceError('MR-S132', `All ${totals.leftOut} cycles are left out.`);
}

/** What is kept of the request for those who look at the backfill later. */
function specOf(
  options: BackfillOptions,
  { order, dates }: PlannedBackfill,
): BackfillOptions & { from: string | undefined; to: string | undefined } {
  const ascending = dates.map(({ bizdate }) => bizdate).sort();
  // The token has served its purpose; as JSON what is undefined is left out.
  return { ...options, planToken: undefined, order, from: ascending[0], to: ascending.at(-1) };
}

async function insertBackfill(
  tx: Sql,
  group: RunGroup,
  { version }: PlannedBackfill,
  { parallelism = 1, window }: BackfillOptions,
): Promise<void> {
  await tx.run(
    `INSERT INTO backfill (run_group_id, workspace_id, plan_day, state, parallelism, timezone,
            window_from, window_to)
     VALUES ($1, $2, $3, 'running', $4, $5, $6, $7)`,
    [
      group.id,
      version.workspaceId,
      group.planDay,
      parallelism,
      version.timezone,
      window?.from ?? null,
      window?.to ?? null,
    ],
  );
}

/** Returns how many instances were made. */
async function insertDates(
  tx: Sql,
  now: Date,
  group: RunGroup,
  { dates, nodes, replan }: PlannedBackfill,
  { parallelism = 1 }: BackfillOptions,
): Promise<number> {
  const chains = nodes.some((node) => node.isAsked && node.waitsForPrevious);
  const rows: { bizdate: string; run: number; instances: number }[] = [];
  for (const [no, { bizdate, plan }] of dates.entries()) {
    // A cycle waits for the one before it, which has to be there when its edge is made.
    const made = chains && no > 0 ? await replan(bizdate, group.id) : plan;
    const { length } = made.instances;
    const backfill = no < parallelism ? 'open' : 'closed';
    const identity = { runGroupId: group.id, planDay: group.planDay, backfill } as const;
    const run = await insertPlan(tx, { ...made, ...identity }, now);
    if (run === undefined) throw new MillraceError('MR-A109', 'The run group was not empty.');
    rows.push({ bizdate, run, instances: length });
  }
  await tx.run(
    `INSERT INTO backfill_date (run_group_id, no, bizdate, workflow_instance_id, instances, state, opened_at)
     SELECT $1, d.no - 1, d.bizdate, d.run, d.instances,
            CASE WHEN d.no <= $5 THEN 'open' ELSE 'waiting' END, CASE WHEN d.no <= $5 THEN $6::timestamptz END
       FROM unnest($2::date[], $3::bigint[], $4::int[]) WITH ORDINALITY AS d(bizdate, run, instances, no)`,
    [
      group.id,
      rows.map((row) => row.bizdate),
      rows.map((row) => row.run),
      rows.map((row) => row.instances),
      parallelism,
      now,
    ],
  );
  return rows.reduce((sum, row) => sum + row.instances, 0);
}
