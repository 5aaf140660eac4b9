import { expect, test } from '@jest/globals';

import type { Database } from '../../src/store/database.js';
import { brokenInvariants } from '../support/invariants.js';
import { Line } from '../support/line.js';
import { seeded, testSeed } from '../support/seeded.js';
import { DaySimulation } from './day-simulation.js';
import { below, DAYS_OF_CHANGE, type DayWorkflow, draftOf, randomWorkflow } from './day-world.js';
import { addDays, ExpectedDay, type Scope } from './expected-day.js';

/** `npm run test:chaos -- --simulated 10000` asks for more. */
const WANTED = Number(process.env['MILLRACE_TEST_SIMULATED'] ?? 1000);
const SEED = testSeed();
const STEP_MS = (WANTED > 1000 ? 15 : 60) * 60_000;
const HOUR_MS = 3_600_000;
/** Planned, run and compared; the days behind them are planned as the clock goes on. */
const MEASURED = 3;
const SIMULATED_HOURS = (MEASURED + 3) * 24;
const TIMEOUT_MS = 60_000 + WANTED * 120;

interface Found {
  readonly instances: string[];
  readonly edges: string[];
}

test(
  `${WANTED} instances of mixed periods and zones and a backfill end as the references say, each once (seed ${SEED})`,
  async () => {
    const random = seeded(SEED);
    const changeDay = DAYS_OF_CHANGE[below(random, DAYS_OF_CHANGE.length)] ?? '2026-11-01';
    // The clocks are turned on the run day of the second business date.
    const first = addDays(changeDay, -2);
    const measured = Array.from({ length: MEASURED }, (_, no) => addDays(first, no));
    const scope: Scope = { bizdates: [...measured, addDays(first, MEASURED)] };
    const expected = new ExpectedDay();
    const workflows: DayWorkflow[] = [];
    for (let count = 0; count < WANTED;) {
      const workflow = randomWorkflow(`w${workflows.length}`, workflows, random);
      workflows.push(workflow);
      count += expected.instances(workflow, { bizdates: measured }).length;
    }

    await using line = await Line.open({ now: `${first}T00:00:00Z`, slots: 100 });
    const ids = await submitAll(line, workflows, first);
    const simulation = new DaySimulation(line, await line.worker(), random);
    const begun = performance.now();
    const backfilled = workflows.slice(0, Math.max(1, Math.round(workflows.length / 10)));
    const dates = [addDays(first, -1), first, addDays(first, 1)];
    for (let hours = 0; hours < SIMULATED_HOURS; hours += STEP_MS / HOUR_MS) {
      if (hours === MEASURED * 24) await backfill(line, backfilled, ids, dates);
      await simulation.step(STEP_MS);
    }
    const seconds = (performance.now() - begun) / 1000;
    const { user, system } = process.cpuUsage();

    const daily = await found(line.database, 'scheduled', measured);
    expectSame(
      daily.instances,
      workflows.flatMap((each) => expected.instances(each, { bizdates: measured })),
    );
    expectSame(
      daily.edges,
      workflows.flatMap((each) => expected.edges(each, scope, measured)),
    );
    const again = await found(line.database, 'backfill', dates);
    expectSame(
      again.instances,
      backfilled.flatMap((each) => expected.instances(each, { bizdates: dates })),
    );
    expectSame(
      again.edges,
      backfilled.flatMap((each) =>
        expected.edges(each, { bizdates: dates, workflow: each }, dates),
      ),
    );
    expect(await notOnce(line.database, [...measured, ...dates])).toEqual([]);
    expect(await tooEarly(line.database, measured)).toEqual([]);
    expect(await brokenInvariants(line.database)).toEqual([]);
    console.log(
      `simulated day: seed ${SEED}, clocks turned on ${changeDay}, ${workflows.length} workflows, ` +
        `${daily.instances.length} instances and ${daily.edges.length} edges of the plan, ` +
        `${again.instances.length} and ${again.edges.length} of backfills, ` +
        `${JSON.stringify(simulation.counts)}, ${seconds.toFixed(0)} s, ` +
        `${((user + system) / 1e6).toFixed(0)} s of CPU besides the database`,
    );
  },
  TIMEOUT_MS,
);

/** The lists as sets of lines that are each there once; the difference of ten thousand lines is not printed. */
function expectSame(found: readonly string[], wanted: readonly string[]): void {
  const [isFound, isWanted] = [new Set(found), new Set(wanted)];
  expect({
    missing: wanted.filter((line) => !isFound.has(line)).slice(0, 20),
    unexpected: found.filter((line) => !isWanted.has(line)).slice(0, 20),
    lines: found.length,
    different: isFound.size,
  }).toEqual({
    missing: [],
    unexpected: [],
    lines: wanted.length,
    different: wanted.length,
  });
}

async function submitAll(
  line: Line,
  workflows: readonly DayWorkflow[],
  first: string,
): Promise<ReadonlyMap<string, number>> {
  const ids = new Map<string, number>();
  for (const workflow of workflows) {
    const { workflowId } = await line.submit(workflow.name, draftOf(workflow));
    ids.set(workflow.name, workflowId);
  }
  await line.database.run(`UPDATE workflow_version SET first_bizdate = $1`, [first]);
  return ids;
}

async function backfill(
  line: Line,
  workflows: readonly DayWorkflow[],
  ids: ReadonlyMap<string, number>,
  dates: readonly string[],
): Promise<void> {
  for (const { name } of workflows) {
    await line.commands.createBackfill({
      workspaceId: line.workspaceId,
      workflowId: ids.get(name) ?? 0,
      userId: null,
      name: `again ${name}`,
      dates: [...dates],
      order: 'asc',
      parallelism: 2,
    });
  }
}

/** Instances that have succeeded and their edges that are satisfied, as the reference writes them. */
async function found(
  database: Database,
  kind: 'scheduled' | 'backfill',
  bizdates: readonly string[],
): Promise<Found> {
  const iso = (column: string): string =>
    `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
  const instances = await database.rows<{ line: string }>(
    `SELECT w.name || '/' || n.name || ' ' || i.bizdate || ' ' || ${iso('i.scheduled_at')}
            || CASE WHEN i.dry_run THEN ' dry' ELSE '' END
            || CASE WHEN i.status = 'succeeded' THEN '' ELSE ' ' || i.status END AS line
       FROM node_instance i JOIN node n ON n.id = i.node_id JOIN workflow w ON w.id = i.workflow_id
       JOIN run_group g ON g.id = i.run_group_id
      WHERE g.kind = $1 AND i.bizdate = ANY($2::date[])`,
    [kind, bizdates],
  );
  const edges = await database.rows<{ line: string }>(
    `SELECT dw.name || '/' || dn.name || ' ' || ${iso('d.scheduled_at')} || ' < '
            || uw.name || '/' || un.name || ' ' || ${iso('u.scheduled_at')} || ' ' || e.kind
            || CASE WHEN e.outcome = 'success' THEN '' ELSE ' ' || e.outcome END AS line
       FROM node_instance d JOIN run_group g ON g.id = d.run_group_id
       JOIN instance_edge e ON e.plan_day = d.plan_day AND e.downstream_id = d.id
       JOIN node_instance u ON u.plan_day = e.upstream_plan_day AND u.id = e.upstream_id
       JOIN node dn ON dn.id = d.node_id JOIN workflow dw ON dw.id = d.workflow_id
       JOIN node un ON un.id = u.node_id JOIN workflow uw ON uw.id = u.workflow_id
      WHERE g.kind = $1 AND d.bizdate = ANY($2::date[])`,
    [kind, bizdates],
  );
  return { instances: instances.map(({ line }) => line), edges: edges.map(({ line }) => line) };
}

/**
 * Instances that did not succeed exactly once, by their events and by their attempts. Both are counted
 * once for all: neither has an index by instance, and looked up one by one they took for ever.
 */
async function notOnce(database: Database, bizdates: readonly string[]): Promise<unknown[]> {
  return await database.rows(
    `WITH told AS MATERIALIZED (
       SELECT instance_id, count(*)::int AS successes FROM unnumbered_event
        WHERE type = 'instance.status' AND payload ->> 'status' = 'succeeded' GROUP BY 1
     ), ran AS MATERIALIZED (
       SELECT plan_day, instance_id, count(*)::int AS succeeded FROM attempt
        WHERE state = 'succeeded' GROUP BY 1, 2
     )
     SELECT i.id, i.node_type, i.dry_run, e.successes, a.succeeded
       FROM node_instance i
       LEFT JOIN told e ON e.instance_id = i.id
       LEFT JOIN ran a ON a.plan_day = i.plan_day AND a.instance_id = i.id
      WHERE i.bizdate = ANY($1::date[])
        AND (e.successes IS DISTINCT FROM 1
             OR coalesce(a.succeeded, 0) <> CASE WHEN i.dry_run OR i.slots = 0 THEN 0 ELSE 1 END)
      LIMIT 10`,
    [bizdates],
  );
}

/** What began before its time or before an upstream had ended. */
async function tooEarly(database: Database, bizdates: readonly string[]): Promise<unknown[]> {
  return await database.rows(
    `SELECT i.id, i.scheduled_at, coalesce(i.dispatched_at, i.ended_at) AS began, u.ended_at
       FROM node_instance i JOIN run_group g ON g.id = i.run_group_id
       LEFT JOIN instance_edge e ON e.plan_day = i.plan_day AND e.downstream_id = i.id
       LEFT JOIN node_instance u ON u.plan_day = e.upstream_plan_day AND u.id = e.upstream_id
      WHERE i.bizdate = ANY($1::date[])
        AND (u.ended_at > coalesce(i.dispatched_at, i.ended_at)
             OR (g.kind = 'scheduled' AND i.scheduled_at > coalesce(i.dispatched_at, i.ended_at)))
      LIMIT 10`,
    [bizdates],
  );
}
