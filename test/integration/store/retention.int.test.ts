import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect, test } from '@jest/globals';
import pg from 'pg';

import { oldDaysCheck } from '../../../src/cli/doctor/old-days-check.js';
import { removeOldDays, type RetentionRound } from '../../../src/scheduler/retention.js';
import { FolderLogStore, logKeyOf, type LogStore } from '../../../src/store/log-store.js';
import { checkPlans } from '../../../src/store/repositories/plan-repository.js';
import { ensurePartitions } from '../../../src/store/sql/ensure-partitions.sql.js';
import { holdDays } from '../../../src/store/sql/hold-days.sql.js';
import type { KeptDays } from '../../../src/store/sql/remove-partitions.sql.js';
import { brokenInvariants } from '../../support/invariants.js';
import { Line, node } from '../../support/line.js';
import { makeOld, tablesOfDay } from '../../support/old-day.js';

const ALL = [
  'attempt',
  'dirty_record',
  'event',
  'instance_edge',
  'log_chunk',
  'node_instance',
  'node_instance_detail',
  'workflow_instance',
];
const AGE = 15;
const LONG: KeptDays = { instanceDays: 30, logDays: 30, eventDays: 30, quarantineDays: 90 };
/** Of the day that is made old nothing has to be kept. */
const SHORT: KeptDays = { instanceDays: 10, logDays: 10, eventDays: 10, quarantineDays: 10 };
const CHAIN = { nodes: [node('a'), node('b', ['a'])] };
const SELF = { nodes: [node('a', [], { selfDependence: true })] };

/** A line on which a workflow was run {@link AGE} days ago. */
async function oldLine(
  draft: object,
  outcome?: Parameters<Line['drain']>[1],
): Promise<{ line: Line; day: string; workflowId: number }> {
  const line = await Line.open();
  const { workflowId } = await line.submit('w', draft);
  await line.run(workflowId, '2026-11-19');
  await line.drain(await line.worker(), outcome);
  const day = await makeOld(line.database, AGE);
  return { line, day, workflowId };
}

async function remove(
  line: Line,
  kept: KeptDays,
  logStore?: LogStore,
): Promise<RetentionRound | undefined> {
  return await removeOldDays({
    database: line.database,
    kept,
    crashPoint: () => Promise.resolve(),
    ...(logStore === undefined ? {} : { logStore }),
  });
}

async function commandOf(
  line: Line,
  name: string,
): Promise<{ planDay: string; id: number; userId: number }> {
  const found = (await line.instances()).find((each) => each.node === name);
  return { planDay: found?.plan_day ?? '', id: found?.id ?? 0, userId: 1 };
}

/** Another session that has looked at the line and has not ended its transaction. */
async function snapshot(line: Line): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: line.url });
  await client.connect();
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await client.query('SELECT count(*) FROM node_instance');
  return client;
}

async function untilDetaching(line: Line): Promise<void> {
  for (;;) {
    const [row] = await line.database.rows<{ is: boolean }>(
      `SELECT EXISTS (SELECT FROM pg_inherits WHERE inhdetachpending) AS is`,
    );
    if (row?.is === true) return;
    await sleep(10);
  }
}

test('events, logs and instances of an old day go when the time of each is over, and what is left holds', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-logs-'));
  try {
    const { line, day, workflowId } = await oldLine(CHAIN);
    await using _ = line;
    const logStore = new FolderLogStore(folder);
    await logStore.write(logKeyOf(day, 1, 1), [Buffer.from('a log')]);
    expect(await remove(line, LONG, logStore)).toEqual({ removed: [], held: [], isWaiting: false });

    await line.database.run('UPDATE alert_cursor SET plan_day = $1', [day]);
    await remove(line, { ...LONG, eventDays: 10 }, logStore);
    // What alerts have not been looked for in stays.
    expect(await tablesOfDay(line.database, day)).toEqual(ALL);
    await line.database.run(`UPDATE alert_cursor SET plan_day = current_date`);
    await remove(line, { ...LONG, eventDays: 10 }, logStore);
    expect(await tablesOfDay(line.database, day)).toEqual(ALL.filter((name) => name !== 'event'));
    expect(await brokenInvariants(line.database)).toEqual([]);

    await remove(line, { ...LONG, logDays: 10 }, logStore);
    expect(await readdir(folder)).toEqual([]);
    expect(await tablesOfDay(line.database, day)).not.toContain('log_chunk');

    await line.run(workflowId, '2026-11-20');
    const [first, second] = await Promise.all([remove(line, SHORT), remove(line, SHORT)]);
    expect([first?.removed.length ?? 0, second?.removed.length ?? 0].sort()).toEqual([0, 6]);
    expect(await tablesOfDay(line.database, day)).toEqual([]);
    expect(await line.instances()).toHaveLength(2);
    await line.drain(await line.worker());
    expect(await line.statuses()).toEqual({ a: 'succeeded', b: 'succeeded' });
    expect(await brokenInvariants(line.database)).toEqual([]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('a sealed plan keeps its checksum when its day is removed, and is not taken for a changed one', async () => {
  await using line = await Line.open();
  await line.submit('w', CHAIN);
  line.clock.set('2026-11-21T15:35:00Z');
  await line.generator.generateDue();
  expect(await checkPlans(line.database)).toMatchObject({ checked: 1, changed: [] });
  line.clock.set('2026-11-23T00:00:00Z');
  await line.drain(await line.worker());
  const day = await makeOld(line.database, AGE);
  expect(await remove(line, SHORT)).toMatchObject({ held: [], isWaiting: false });
  expect(await tablesOfDay(line.database, day)).toEqual([]);
  expect(await checkPlans(line.database)).toEqual({ checked: 0, changed: [] });
  expect(await line.database.rows('SELECT FROM plan WHERE checksum IS NOT NULL')).toHaveLength(1);
});

test('an old day stays while something in it is not over, waits in quarantine, is waited for or is still made', async () => {
  const { line, day, workflowId } = await oldLine(SELF, () => ({
    outcome: 'failed',
    errorCode: 'MR-D106',
  }));
  await using _ = line;
  const heldBy = async (): Promise<string | undefined> => {
    const found = await remove(line, SHORT);
    expect(await tablesOfDay(line.database, day)).toContain('node_instance');
    const because = found?.held.find((each) => each.day === day)?.because;
    expect(await oldDaysCheck(line.database, SHORT).run()).toMatchObject({
      status: 'warning',
      detail: `these stay, though their time is over: ${day} (${because})`,
    });
    return because;
  };
  // The next cycle waits for what has failed there.
  await line.run(workflowId, '2026-11-20');
  expect(await heldBy()).toBe('awaited');
  await line.commands.rerunInstance({ ...(await failed(line)), userId: 1 });
  expect(await heldBy()).toBe('unfinished');
  await line.drain(await line.worker());
  await line.database.run(
    `INSERT INTO backfill (run_group_id, workspace_id, plan_day, state, parallelism, timezone, version_ids)
     SELECT id, workspace_id, plan_day, 'paused', 1, 'UTC', '{}' FROM run_group WHERE plan_day = $1`,
    [day],
  );
  expect(await heldBy()).toBe('backfill');
  await line.database.run(`UPDATE backfill SET state = 'ended'`);
  await line.database.run(
    `INSERT INTO dirty_record (plan_day, instance_id, epoch, no, slice_no, code, reason, cells)
     SELECT plan_day, id, epoch, 1, 0, 'MR-D201', 'too long', '[]' FROM node_instance WHERE plan_day = $1`,
    [day],
  );
  const patient = { ...SHORT, quarantineDays: 20 };
  expect((await remove(line, patient))?.held).toEqual([{ day, because: 'quarantine' }]);
  await line.database.run('UPDATE dirty_record SET replayed_at = clock_timestamp()');
  await remove(line, patient);
  expect(await tablesOfDay(line.database, day)).toEqual([]);
  expect(await brokenInvariants(line.database)).toEqual([]);
});

async function failed(line: Line): Promise<{ planDay: string; id: number }> {
  const [row] = await line.instances(`i.status = 'failed'`);
  return { planDay: row?.plan_day ?? '', id: row?.id ?? 0 };
}

test('who still looks at an old day is waited for, meanwhile the line goes on, and after a kill the next one ends it', async () => {
  const { line, day, workflowId } = await oldLine(CHAIN);
  await using _ = line;
  const reader = await snapshot(line);
  const killed = remove(line, SHORT);
  await untilDetaching(line);
  await ensurePartitions(line.database, '2099-01-01', '2099-01-01');
  await line.run(workflowId, '2026-11-20');
  await line.drain(await line.worker());
  expect(await line.statuses()).toEqual({ a: 'succeeded', b: 'succeeded' });
  expect(await brokenInvariants(line.database)).toEqual([]);
  const [waiting] = await line.database.rows<{ is: boolean }>(
    `SELECT pg_terminate_backend(pid) AS is FROM pg_stat_activity
      WHERE datname = current_database() AND query LIKE '%DETACH PARTITION%CONCURRENTLY'`,
  );
  expect(waiting?.is).toBe(true);
  await expect(killed).rejects.toThrow();
  // The reader still sees what it saw.
  expect((await reader.query('SELECT FROM node_instance')).rowCount).toBe(2);
  const doctor = oldDaysCheck(line.database, SHORT);
  const [own] = (await reader.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows;
  expect(await doctor.run()).toMatchObject({
    status: 'warning',
    detail: expect.stringMatching(`^node_instance_\\d+ is to be removed, and pid ${own?.pid} `),
  });
  await reader.query('ROLLBACK');
  await reader.end();
  expect(await doctor.run()).toMatchObject({ status: 'ok' });
  expect(await remove(line, SHORT)).toMatchObject({ isWaiting: false });
  expect(await tablesOfDay(line.database, day)).toEqual([]);
  expect(await brokenInvariants(line.database)).toEqual([]);
});

test('a rerun keeps its day and gets a new place for its log, and comes too late once the day is removed', async () => {
  const { line, day } = await oldLine(CHAIN);
  await using _ = line;
  await line.database.transaction(async (tx) => {
    await holdDays(tx, [day]);
    await remove(line, { ...SHORT, eventDays: 30 });
    expect(await tablesOfDay(line.database, day)).toEqual(ALL);
  });
  await remove(line, { ...LONG, logDays: 10 });
  expect(await tablesOfDay(line.database, day)).not.toContain('log_chunk');
  await line.commands.rerunInstance(await commandOf(line, 'b'));
  const worker = await line.worker();
  await line.release();
  const [claim] = await worker.claim(10);
  if (claim === undefined) throw new Error('nothing was claimed');
  const chunk = { ...claim, no: 0, at: new Date().toISOString(), lineCount: 1, byteCount: 3 };
  await line.link.log(worker.workerId, [
    { ...chunk, body: Buffer.from('hi\n').toString('base64') },
  ]);
  await worker.finish(claim);
  expect(await line.database.rows('SELECT FROM log_chunk WHERE plan_day = $1', [day])).toHaveLength(
    1,
  );
  const late = await commandOf(line, 'b');
  expect((await remove(line, SHORT))?.removed).toHaveLength(ALL.length);
  await expect(line.commands.rerunInstance(late)).rejects.toMatchObject({ code: 'MR-S207' });
});

test('a cycle whose previous one was removed with its day takes its outcome, and a backfill makes the date anew', async () => {
  const { line, day, workflowId } = await oldLine(SELF, () => ({
    outcome: 'failed',
    errorCode: 'MR-D106',
  }));
  await using _ = line;
  await remove(line, SHORT);
  expect(await tablesOfDay(line.database, day)).toEqual([]);
  await line.run(workflowId, '2026-11-20');
  const next = await commandOf(line, 'a');
  expect(await line.statuses()).toEqual({ a: 'waiting_upstream' });
  const { reasons } = await line.commands.explainInstance(next);
  expect(reasons.map(({ text }) => text)).toEqual([
    'Upstream "a" has failed and was removed with its day: unlink it, or force the rerun.',
  ]);
  await line.commands.createBackfill({
    workspaceId: line.workspaceId,
    workflowId,
    userId: null,
    name: 'again',
    dates: ['2026-11-19'],
    order: 'asc',
    parallelism: 1,
  });
  await line.drain(await line.worker());
  await line.commands.forceInstance(next);
  await line.drain(await line.worker());
  expect((await line.instances()).map(({ bizdate, status }) => `${bizdate} ${status}`)).toEqual([
    '2026-11-19 succeeded',
    '2026-11-20 succeeded',
  ]);
  expect(await brokenInvariants(line.database)).toEqual([]);
});
