import { describe, expect, test } from '@jest/globals';

import { makeDates } from '../../../src/scheduler/backfill/make-backfill.js';
import type { BackfillScope } from '../../../src/domain/graph/subset-for-backfill.js';
import { backfillById } from '../../../src/store/repositories/backfill-repository.js';
import { AlertLine } from '../../support/alert-line.js';
import {
  ALL_BELOW,
  Backfills,
  below,
  drained,
  edgesOf,
  november,
} from '../../support/backfills.js';
import { brokenInvariants } from '../../support/invariants.js';
import { node } from '../../support/line.js';

const FAILED = { outcome: 'failed', errorCode: 'MR-D107', errorDetail: 'no' } as const;

/** `w`: a > b, f; `mid`: b > c > d, alone; `end`: d > e; `w` again: e > f. */
async function open(options: Parameters<typeof Backfills.open>[1] = {}): Promise<Backfills> {
  const first = [node('a', [], { retry: { max: 0 } }), node('b', ['a']), node('other')];
  const b = await Backfills.open(first, options);
  await b.line.submit('mid', {
    nodes: [below('c', 'w', 'b'), node('d', ['c']), node('alone')],
  });
  await b.line.submit('end', { nodes: [below('e', 'mid', 'd')] });
  await b.line.submit('w', { nodes: [...first, below('f', 'end', 'e')] });
  return b;
}

function ofDay(ran: readonly string[], day: string): string {
  return ran
    .filter((each) => each.startsWith(day))
    .map((each) => each.slice(3))
    .join(' ');
}

async function awaited(b: Backfills): Promise<number> {
  return (await b.line.database.rows('SELECT FROM awaited_edge')).length;
}

describe('a backfill that crosses the borders of workflows', () => {
  test('runs what is below in the order of the edges, on each of its dates', async () => {
    await using b = await open();
    const request = { ...november(1, 4), parallelism: 2, scope: ALL_BELOW };
    const plan = await b.plan(request);
    expect(plan.versions.map(({ name, version }) => `${name} ${version}`)).toEqual([
      'w 2',
      'mid 1',
      'end 1',
    ]);
    expect(plan.nodes.map(({ name, workflow }) => `${workflow}: ${name}`)).toEqual([
      'w: a',
      'w: b',
      'mid: mid/c',
      'mid: mid/d',
      'end: end/e',
      'w: f',
    ]);
    expect(plan.totals).toEqual({ run: 24, dryRun: 0, leftOut: 0, conflicts: 0 });
    expect(await b.start(request, plan.planToken)).toMatchObject({ instances: 24, bizdates: 4 });
    expect(await awaited(b)).toBe(0);
    expect(await b.dates()).toMatchObject({ '11-02': 'open', '11-03': 'waiting' });
    const ran = await drained(b);
    for (const day of ['01', '02', '03', '04']) expect(ofDay(ran, day)).toBe('a b c d e f');
    expect(ran.indexOf('03 a')).toBeGreaterThan(ran.indexOf('01 f'));
    expect(await b.state()).toBe('ended');
    expect(await b.line.wrongPendings()).toBe(0);
    expect(await brokenInvariants(b.line.database)).toEqual([]);
    expect(await backfillById(b.line.database, b.line.workspaceId, b.id)).toMatchObject({
      workflows: ['w', 'mid', 'end'],
    });
  });

  test.each<[string, BackfillScope, string]>([
    ['a chain', { mode: 'chain', from: ['b'], to: ['f'], acrossWorkflows: true }, 'b c d e f'],
    [
      'a chain into another workflow',
      { mode: 'chain', from: ['w/b'], to: ['mid/d'], acrossWorkflows: true },
      'b c d',
    ],
    ['a chain within its workflow', { mode: 'chain', from: ['b'], to: ['f'] }, ''],
    ['what is below within its workflow', { mode: 'all_downstream', roots: ['a'] }, 'a b'],
    ['nodes that are named', { mode: 'nodes', nodes: ['mid/d', 'end/e'] }, 'd e'],
    [
      'what is below in the workflow of each root',
      { mode: 'all_downstream', roots: ['b', 'mid/c'] },
      'b c d',
    ],
    ['a workflow and a node of another', { mode: 'nodes', nodes: ['b'], also: ['mid/c'] }, 'b c'],
    ['without a node at the end', { ...ALL_BELOW, except: ['f', 'end/e'] }, 'a b c d'],
    [
      'without one in the middle, which is a dry run',
      { ...ALL_BELOW, except: ['mid/d'] },
      'a b c e f',
    ],
    ['only the ends, with dry runs between', { mode: 'nodes', nodes: ['a', 'end/e'] }, 'a e'],
  ])('%s', async (_, scope, expected) => {
    await using b = await open();
    const request = { ...november(1, 1), scope };
    if (expected === '') {
      await expect(b.start(request)).rejects.toMatchObject({ code: 'MR-S132' });
      return;
    }
    await b.start(request);
    expect(ofDay(await drained(b), '01')).toBe(expected);
    expect(await b.state()).toBe('ended');
    expect(await b.line.wrongPendings()).toBe(0);
  });

  test('says what is a dry run in another workflow, and what is not there', async () => {
    await using b = await open();
    const plan = await b.plan({ ...november(1, 1), scope: { ...ALL_BELOW, except: ['mid/d'] } });
    expect(plan.nodes.find(({ name }) => name === 'mid/d')).toMatchObject({ isAsked: false });
    expect(plan.totals).toMatchObject({ run: 5, dryRun: 1 });
    for (const name of ['mid/x', 'nobody/c'])
      await expect(
        b.plan({ ...november(1, 1), scope: { mode: 'nodes', nodes: [name] } }),
      ).rejects.toMatchObject({ code: 'MR-A104', detail: `there is no node "${name}"` });
  });

  test('enters no workflow that is not scheduled, unless one of its nodes is named', async () => {
    await using b = await open();
    await b.line.database.run(`UPDATE workflow SET scheduled = false WHERE name = 'mid'`);
    const plan = await b.plan({ ...november(1, 1), scope: ALL_BELOW });
    expect(plan.nodes.map(({ name }) => name)).toEqual(['a', 'b']);
    const named = await b.plan({ ...november(1, 1), scope: { ...ALL_BELOW, also: ['mid/alone'] } });
    expect(named.nodes).toHaveLength(7);
  });

  test('waits for each cycle as the daily plan does, between daily, hourly and minutely nodes', async () => {
    const [hourly, minutely] = ['0 * * * *', '*/20 * * * *'].map((cron) => ({
      schedule: { cron },
    }));
    await using b = await Backfills.open(
      [
        node('a'),
        node('hourly', ['a'], hourly),
        node('two', ['a'], { schedule: { cron: '0 6,18 * * *' } }),
      ],
      { now: '2026-11-21T04:00:00Z' },
    );
    const { line } = b;
    await line.submit('down', {
      nodes: [
        below('daily', 'w', 'hourly'),
        below('each_hour', 'w', 'two', hourly),
        below('minutely', 'w', 'hourly', minutely),
        below('spread', 'w', 'a', { ...hourly, selfDependence: true }),
        {
          ...node('yesterday'),
          needs: [{ workflow: 'w', node: 'hourly', cycle: 'previous' }],
        },
      ],
    });
    for (const now of ['2026-11-21T14:30:00Z', '2026-11-22T14:30:00Z']) {
      line.clock.set(now);
      await line.generator.generateDue();
    }
    const [scheduled] = await line.database.rows<{ id: number }>(
      `SELECT id FROM run_group WHERE kind = 'scheduled'`,
    );
    await b.start({
      ranges: [{ from: '2026-11-21', to: '2026-11-22' }],
      runFutureNow: true,
      scope: { ...ALL_BELOW, also: ['down/yesterday'] },
    });
    const own = await edgesOf(b, b.id, '2026-11-22');
    expect(own).toEqual(await edgesOf(b, scheduled?.id, '2026-11-22'));
    expect(own.filter((edge) => edge.includes(' daily <'))).toHaveLength(24);
    expect(own.filter((edge) => edge.includes(' yesterday <'))).toHaveLength(24);
  });

  test('has the plan that it had for one workflow, when nothing else is asked for', async () => {
    await using alone = await Backfills.open([node('a'), node('b', ['a'])]);
    const before = await alone.plan({ ...november(1, 3), order: 'desc' });
    await alone.line.submit('down', { nodes: [below('c', 'w', 'b')] });
    expect(await alone.plan({ ...november(1, 3), order: 'desc' })).toEqual(before);
  });

  test('is refused when another workflow has changed since its plan, with the difference', async () => {
    await using b = await open();
    const request = { ...november(1, 1), scope: ALL_BELOW };
    const { planToken } = await b.plan(request);
    await b.line.submit('mid', { nodes: [below('c', 'w', 'b'), node('d', ['c'])] });
    await expect(b.start(request, planToken)).rejects.toMatchObject({
      code: 'MR-S131',
      detail: 'version of the workflow "mid": 1 then, 2 now.',
    });
    const again = await b.plan(request);
    await b.line.submit('more', { nodes: [below('g', 'w', 'b')] });
    await expect(b.start(request, again.planToken)).rejects.toMatchObject({
      code: 'MR-S131',
      detail: 'instances that run: 6 then, 7 now; workflow "more" takes part now.',
    });
  });

  test('is paused, skipped, retried and cancelled as a whole, and why says what it waits for', async () => {
    await using b = await open();
    await b.start({ ...november(1, 4), scope: ALL_BELOW });
    const worker = await b.line.worker();
    for (const claim of await b.claim(worker)) await worker.finish(claim, FAILED);
    const [c] = await b.line.instances(`n.name = 'c' AND i.bizdate = '2026-11-01'`);
    if (c === undefined) throw new Error('c is missing');
    const why = await b.line.commands.explainInstance({ planDay: c.plan_day, id: c.id });
    expect(why.reasons.map(({ text }) => text)).toEqual([
      expect.stringContaining('"b"'),
      expect.stringContaining('"a" of workflow "w" on 2026-11-01 has failed'),
    ]);
    expect(await b.control({ kind: 'retry' })).toMatchObject({ retried: 1, refused: 0 });
    await b.control({ kind: 'pause' });
    expect(await b.claim(worker)).toEqual([]);
    await b.control({ kind: 'resume' });
    for (const claim of await b.claim(worker)) await worker.finish(claim);
    await b.control({ kind: 'skip', bizdates: ['2026-11-01'] });
    const left = await b.line.instances(`i.bizdate = '2026-11-01'`);
    expect(left.map(({ node: name, status }) => `${name} ${status}`)).toEqual(
      expect.arrayContaining(['a succeeded', 'c cancelled', 'e cancelled']),
    );
    await b.control({ kind: 'parallelism', parallelism: 2 });
    expect(await b.dates()).toMatchObject({ '11-02': 'open', '11-03': 'open', '11-04': 'waiting' });
    await b.control({ kind: 'cancel' });
    expect(await b.state()).toBe('cancelled');
    const live = await b.line.instances(`i.status NOT IN ('succeeded', 'cancelled')`);
    expect(live).toEqual([]);
    expect(await brokenInvariants(b.line.database)).toEqual([]);
  });
});

/** 576 instances a day in two workflows: four dates are made when it is accepted. */
describe('a large backfill over borders', () => {
  const every5 = { schedule: { period: { every: 'minute', step: 5 } } };
  const A_DAY = 576;

  async function large(): Promise<Backfills> {
    const b = await Backfills.open([node('a', [], { ...every5, selfDependence: true })]);
    await b.line.submit('down', { nodes: [below('d', 'w', 'a', every5)] });
    return b;
  }

  test('is made date by date, each whole or not at all, whoever is ended in between', async () => {
    await using b = await large();
    const scope = { mode: 'nodes', nodes: ['a', 'down/d'] } as const;
    const started = await b.start({ ...november(1, 7), scope });
    expect(started).toMatchObject({ instances: 7 * A_DAY });
    const { database, clock } = b.line;
    const crash = (): Promise<never> => Promise.reject(new Error('ended'));
    await expect(makeDates(database, clock.now(), new Map(), crash)).rejects.toThrow('ended');
    expect(await backfillById(database, b.line.workspaceId, b.id)).toMatchObject({ made: 4 });
    // Renaming it changes nothing of what was asked for.
    await database.run(`UPDATE workflow SET name = 'renamed' WHERE name = 'down'`);
    while ((await makeDates(database, clock.now(), new Map())) > 0);
    expect(await backfillById(database, b.line.workspaceId, b.id)).toMatchObject({
      made: 7,
      problem: null,
      statuses: { waiting_upstream: 7 * A_DAY - 1 },
    });
    const rows = await database.rows(
      `SELECT i.bizdate, count(*)::int AS n, count(DISTINCT i.workflow_instance_id)::int AS runs
         FROM node_instance i GROUP BY i.bizdate ORDER BY i.bizdate`,
    );
    expect(rows).toHaveLength(7);
    for (const row of rows) expect(row).toMatchObject({ n: A_DAY, runs: 2 });
    // Each date: 288 over the border, 287 of the chain; six lead to the date before.
    expect(await edgesOf(b)).toHaveLength(7 * (288 + 287) + 6);
    expect(await awaited(b)).toBe(0);
    expect(await b.line.wrongPendings()).toBe(0);
    expect(await brokenInvariants(database)).toEqual([]);
  });

  test('pauses when the calendar of another of its workflows is not the one that was accepted', async () => {
    await using b = await Backfills.open([node('a', [], every5)]);
    const { database, clock, workspaceId } = b.line;
    await database.run(
      `INSERT INTO business_calendar (workspace_id, name, work_weekdays) VALUES ($1, 'exchange', '{mon}')`,
      [workspaceId],
    );
    const calendar = { schedule: { ...every5.schedule, calendar: 'exchange' } };
    await b.line.submit('down', { nodes: [below('d', 'w', 'a', calendar)] });
    await b.start({ ...november(1, 12), scope: ALL_BELOW });
    await database.run(`UPDATE business_calendar SET work_weekdays = '{mon,tue}'`);
    expect(await makeDates(database, clock.now(), new Map())).toBe(0);
    expect(await backfillById(database, workspaceId, b.id)).toMatchObject({
      state: 'paused',
      problem: { code: 'MR-S191' },
    });
    const alerts = new AlertLine(b.line);
    await alerts.rule({
      condition: { kind: 'backfill_paused' },
      target: { kind: 'workflows', workflows: ['down'] },
    });
    await alerts.watch();
    expect(await alerts.alerts()).toMatchObject([{ workflow: 'down', backfillId: b.id }]);
  });
});
