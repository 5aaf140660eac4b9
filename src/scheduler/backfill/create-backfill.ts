import { MillraceError } from '../../domain/errors.js';
import type { Database, Sql } from '../../store/database.js';
import type { Note } from '../note.js';
import { createRunGroup } from '../run-workflow.js';
import { insertDate } from './insert-date.js';
import { planBackfill } from './plan-backfill.js';
import { requirePlanned } from './plan-token.js';
import { wantedKeys } from './keep-wanted.js';
import type { BackfillMaking } from './make-backfill.js';
import type { BackfillOrderOptions, PlannedBackfill, PlannedDate } from './planned-backfill.js';

export interface BackfillOptions extends BackfillOrderOptions {
  readonly userId: number | null;
  readonly name: string;
  /** Of the plan that the user has seen: refuses a world that has changed since. */
  readonly planToken?: string | undefined;
  readonly note?: Note<[runGroupId: number]>;
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
 * So many instances are made while the user waits, and at least the first business date. A year of a
 * thousand nodes has 365,000: the scheduler makes the others, in the order in which they will run.
 */
const MADE_AT_ONCE = 2000;

/**
 * Accepts a backfill as one run group and makes the instances of its first business dates. The first ones
 * are open, as many as it runs at once; the others wait until the one so many places before them is over.
 */
export async function createBackfill(
  database: Database,
  now: Date,
  options: BackfillOptions,
): Promise<BackfillStarted> {
  return await database.transaction(async (tx) => {
    const planned = await planBackfill(tx, now, now.toISOString().slice(0, 10), options);
    if (options.planToken !== undefined) requirePlanned(options.planToken, options, planned);
    else requireChecked(planned);
    const dates = planned.dates.filter(({ plan }) => plan.instances.length > 0);
    if (dates.length === 0) throw nothingToRun(planned);
    const { workspaceId } = planned.versions[0];
    const group = await createRunGroup(
      tx,
      'backfill',
      options.name,
      workspaceId,
      specOf(options, planned),
    );
    const runs = await makeFirst(tx, now, group, { ...planned, dates }, options);
    const making = {
      names: planned.versions.map(({ name }) => name),
      at: now.toISOString(),
      digest: planned.scene.digest,
    };
    await insertBackfill(
      tx,
      group,
      planned,
      options,
      runs.length < dates.length ? making : undefined,
    );
    await insertDates(tx, now, group, dates, runs, options);
    await options.note?.(tx, group.id);
    const instances = dates.reduce((sum, { plan }) => sum + plan.instances.length, 0);
    return { runGroupId: group.id, instances, bizdates: dates.length };
  });
}

/** MR-S210 for a check at the source that is not whole, unless whoever starts it has seen that in a plan. */
function requireChecked({ missing }: PlannedBackfill): void {
  if (missing === null || missing.counts.unchecked === 0) return;
  const errors = missing.unchecked.map(({ dataSource, table, resourceGroup, code, detail }) => ({
    pointer: '/checkSource',
    detail: `${dataSource}, ${table}, by workers of ${resourceGroup}: ${code}: ${detail}`,
  }));
  const first = errors[0]?.detail ?? 'the workflow was changed meanwhile';
  const detail = `${missing.counts.unchecked} cycles may be missing or not: ${first}.`;
  throw new MillraceError('MR-S210', detail, { errors });
}

function nothingToRun({ totals }: PlannedBackfill): MillraceError {
  return new MillraceError('MR-S132', `All ${totals.leftOut} cycles are left out.`);
}

/** What is kept of the request for those who look at the backfill later. */
function specOf(
  options: BackfillOptions,
  { order, dates }: PlannedBackfill,
): BackfillOptions & { from: string | undefined; to: string | undefined } {
  // The token and the finding have served their purpose, and who notes it is of this call; as JSON what is
  // undefined is left out.
  const { planToken: _, finding: __, note: ___, ...asked } = options;
  const ascending = dates.map(({ bizdate }) => bizdate).sort();
  return { ...asked, order, from: ascending[0], to: ascending.at(-1) };
}

async function insertBackfill(
  tx: Sql,
  group: RunGroup,
  { versions }: PlannedBackfill,
  { parallelism = 1, window }: BackfillOptions,
  making: BackfillMaking | undefined,
): Promise<void> {
  await tx.run(
    `INSERT INTO backfill (run_group_id, workspace_id, plan_day, state, parallelism, timezone,
            window_from, window_to, making, version_ids)
     VALUES ($1, $2, $3, 'running', $4, $5, $6, $7, $8, $9)`,
    [
      group.id,
      versions[0].workspaceId,
      group.planDay,
      parallelism,
      versions[0].timezone,
      window?.from ?? null,
      window?.to ?? null,
      making === undefined ? null : JSON.stringify(making),
      versions.map(({ versionId }) => versionId),
    ],
  );
}

/** Returns the workflow instances of each date that was made. */
async function makeFirst(
  tx: Sql,
  now: Date,
  group: RunGroup,
  { dates, planOn }: PlannedBackfill,
  { parallelism = 1 }: BackfillOptions,
): Promise<number[][]> {
  const runs: number[][] = [];
  let made = 0;
  for (const { bizdate } of dates) {
    if (made >= MADE_AT_ONCE) break;
    const plan = await planOn(bizdate, group.id);
    const backfill = runs.length < parallelism ? 'open' : 'closed';
    const identity = { runGroupId: group.id, planDay: group.planDay, backfill } as const;
    runs.push(await insertDate(tx, { ...plan, ...identity }, now));
    made += plan.instances.length;
  }
  return runs;
}

/**
 * All dates in one statement, however many years were asked for; their instances go by COPY.
 *
 *   Insert on backfill_date  ->  Function Scan on d
 */
async function insertDates(
  tx: Sql,
  now: Date,
  group: RunGroup,
  dates: readonly PlannedDate[],
  runs: readonly (readonly number[])[],
  { parallelism = 1, only = 'all' }: BackfillOptions,
): Promise<void> {
  await tx.run(
    `INSERT INTO backfill_date (run_group_id, no, bizdate, workflow_instance_ids, instances, state,
            opened_at, wanted)
     SELECT $1, d.no - 1, d.bizdate, d.runs::bigint[], d.instances,
            CASE WHEN d.no <= $5 AND d.runs IS NOT NULL THEN 'open' ELSE 'waiting' END,
            CASE WHEN d.no <= $5 AND d.runs IS NOT NULL THEN $6::timestamptz END, d.wanted
       -- Lists as texts: unnest takes lists of lists apart to the last.
       FROM unnest($2::date[], $3::text[], $4::int[], $7::jsonb[])
            WITH ORDINALITY AS d(bizdate, runs, instances, wanted, no)`,
    [
      group.id,
      dates.map(({ bizdate }) => bizdate),
      dates.map((_, no) => (runs[no] === undefined ? null : `{${runs[no].join(',')}}`)),
      dates.map(({ plan }) => plan.instances.length),
      parallelism,
      now,
      dates.map(({ plan }, no) =>
        only === 'all' || no < runs.length ? null : JSON.stringify(wantedKeys(plan)),
      ),
    ],
  );
}
