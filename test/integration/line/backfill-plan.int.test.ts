import { describe, expect, test } from '@jest/globals';

import type { BackfillScope } from '../../../src/domain/graph/subset-for-backfill.js';
import { Backfills, november } from '../../support/backfills.js';
import { node } from '../../support/line.js';

const CHAIN = [node('a'), node('b', ['a']), node('c', ['b']), node('side', ['a'])];

/** `node: run` or `node: dry run`, of the instances that were made. */
async function made(b: Backfills): Promise<string[]> {
  const rows = await b.line.instances(`run_group_id = ${b.id}`);
  return rows.map((row) => `${row.node}${row.dry_run ? ' dry' : ''}`).sort();
}

describe('the scope of a backfill', () => {
  test.each<[string, BackfillScope, string[]]>([
    ['the workflow', { mode: 'workflow' }, ['a', 'b', 'c', 'side']],
    ['one node', { mode: 'nodes', nodes: ['b'] }, ['b']],
    ['a node and all below it', { mode: 'all_downstream', roots: ['b'] }, ['b', 'c']],
    ['a chain from start to end', { mode: 'chain', from: ['a'], to: ['c'] }, ['a', 'b', 'c']],
    [
      'chosen nodes with the one between them as a dry run',
      { mode: 'nodes', nodes: ['a', 'c'] },
      ['a', 'b dry', 'c'],
    ],
    [
      'the workflow without a node',
      { mode: 'workflow', except: ['b'] },
      ['a', 'b dry', 'c', 'side'],
    ],
    ['one node and another', { mode: 'nodes', nodes: ['c'], also: ['side'] }, ['c', 'side']],
  ])('%s', async (_, scope, expected) => {
    await using b = await Backfills.open(CHAIN);
    await b.start({ ...november(1, 1), scope });
    expect(await made(b)).toEqual(expected);
    const ran = await b.line.drain(await b.line.worker());
    expect(ran.sort()).toEqual(expected.filter((name) => !name.endsWith('dry')));
    expect(await b.state()).toBe('ended');
    expect(await b.line.wrongPendings()).toBe(0);
  });

  test('what is asked for further down waits for what is asked for further up, through the dry run', async () => {
    await using b = await Backfills.open(CHAIN);
    await b.start({ ...november(1, 1), scope: { mode: 'nodes', nodes: ['a', 'c'] } });
    expect(await b.line.drain(await b.line.worker())).toEqual(['a', 'c']);
  });

  test('a node that is not there is named', async () => {
    await using b = await Backfills.open(CHAIN);
    await expect(
      b.plan({ ...november(1, 1), scope: { mode: 'nodes', nodes: ['d'] } }),
    ).rejects.toMatchObject({ code: 'MR-A104', detail: 'there is no node "d"' });
  });

  test('hours choose among the cycles of a day and leave a daily node alone', async () => {
    await using b = await Backfills.open([
      node('hourly', [], { schedule: { cron: '10 * * * *' } }),
      node('daily', ['hourly'], { schedule: { cron: '0 1 * * *' } }),
    ]);
    const started = await b.start({ ...november(1, 1), hours: { from: '06:00', to: '08:10' } });
    expect(started.instances).toBe(4);
    const [daily] = await b.line.instances(`n.name = 'daily'`);
    expect(daily).toMatchObject({ pending: 3 });
    const plan = await b.plan({ ...november(1, 1), hours: { from: '06:00', to: '08:10' } });
    expect(plan.totals).toEqual({ run: 4, dryRun: 0, leftOut: 21, conflicts: 4 });
  });
});

describe('a node that forbids backfills', () => {
  const forbidden = { backfill: 'forbidden' };

  test('is a dry run in every cycle, asked for or not, and what waits for it goes on', async () => {
    await using b = await Backfills.open([
      node('a'),
      node('b', ['a'], forbidden),
      node('c', ['b']),
      node('end', ['c'], { ...forbidden, selfDependence: true, scheduleType: 'frozen' }),
    ]);
    const plan = await b.plan({ ...november(1, 2), order: 'desc' });
    expect(plan.order).toBe('desc');
    expect(plan.totals).toEqual({ run: 4, dryRun: 4, leftOut: 0, conflicts: 0 });
    await b.start({ ...november(1, 2), order: 'desc' }, plan.planToken);
    const rows = await b.line.instances(`run_group_id = ${b.id} AND bizdate = '2026-11-01'`);
    expect(rows.map((row) => [row.node, row.reason, row.frozen]).sort()).toEqual([
      ['a', null, false],
      ['b', 'backfill_forbidden', false],
      ['c', null, false],
      ['end', 'backfill_forbidden', false],
    ]);
    expect(await b.line.drain(await b.line.worker())).toEqual(['a', 'c', 'a', 'c']);
    expect(await b.state()).toBe('ended');
    expect(await b.line.wrongPendings()).toBe(0);
  });

  test('is neither missing nor failed, but still between those that are', async () => {
    const nodes = [node('a'), node('b', ['a'], forbidden), node('c', ['b'])];
    await using b = await Backfills.open([...nodes, node('alone', [], forbidden)]);
    const all = { run: 2, dryRun: 1, leftOut: 1, conflicts: 0 };
    expect((await b.plan({ ...november(1, 1), only: 'missing' })).totals).toEqual(all);
    await b.start({ ...november(1, 1), only: 'missing' });
    expect(await made(b)).toEqual(['a', 'b dry', 'c']);
    await b.line.drain(await b.line.worker());
    // What a forbidden node would have left is not missed by the next backfill either.
    expect((await b.plan({ ...november(1, 1), only: 'missing' })).totals.run).toBe(0);
    await b.line.database.run(
      `UPDATE node_instance SET status = 'failed' WHERE node_id IN (SELECT id FROM node WHERE name IN ('a', 'b'))`,
    );
    await b.start({ ...november(1, 1), only: 'failed' });
    expect(await made(b)).toEqual(['a']);
  });

  test('cannot be all that is asked for', async () => {
    await using b = await Backfills.open([
      node('a', [], forbidden),
      node('b', ['a'], forbidden),
      node('c', ['b']),
    ]);
    const asked = { ...november(1, 1), scope: { mode: 'nodes', nodes: ['a', 'b'] } } as const;
    const refused = { code: 'MR-S196', detail: 'They say `backfill: forbidden`: "a", "b".' };
    await expect(b.plan(asked)).rejects.toMatchObject(refused);
    await expect(b.start(asked)).rejects.toMatchObject(refused);
    await expect(b.plan({ ...asked, only: 'failed' })).rejects.toMatchObject(refused);
    const chain = { ...november(1, 1), scope: { mode: 'nodes', nodes: ['a', 'c'] } } as const;
    expect((await b.plan(chain)).nodes).toMatchObject([
      { name: 'a', isAsked: true, isForbidden: true },
      { name: 'c', isAsked: true, isForbidden: false },
      { name: 'b', isAsked: false, isForbidden: true },
    ]);
    await b.line.submit('w', { nodes: [node('a'), node('b', ['a']), node('c', ['b'])] });
    expect((await b.plan(asked)).totals).toMatchObject({ run: 2, dryRun: 0 });
  });
});

describe('only', () => {
  const PRODUCER = node('a', [], {
    parameters: { ds: '$bizdate' },
    outputs: [{ dataSource: 'files', table: 'orders', partition: 'ds=${ds}' }],
  });

  async function producing(): Promise<Backfills> {
    const b = await Backfills.open([node('first')]);
    await b.line.submit('w', { nodes: [PRODUCER, node('b', ['a'])] });
    return b;
  }

  test('what is missing: partitions without a record, and cycles that never succeeded', async () => {
    await using b = await producing();
    await b.start(november(1, 2));
    await b.line.drain(await b.line.worker());
    expect((await b.plan({ ...november(1, 2), only: 'missing' })).totals).toMatchObject({ run: 0 });
    await expect(b.start({ ...november(1, 2), only: 'missing' })).rejects.toMatchObject({
      code: 'MR-S132',
    });
    // Somebody dropped it and its record.
    await b.line.database.run(`DELETE FROM partition_record WHERE partition = 'ds=20261102'`);
    await b.start({ ...november(1, 3), only: 'missing' });
    expect(Object.keys(await b.dates())).toEqual(['11-02', '11-03']);
    expect(await made(b)).toEqual(['a', 'a', 'b']);
  });

  test('what has failed, and nothing that another run has mended', async () => {
    await using b = await Backfills.open([node('a', [], { retry: { max: 0 } }), node('b')]);
    await b.start({ ...november(1, 3), parallelism: 3 });
    const worker = await b.line.worker();
    await b.line.drain(worker, (claim) =>
      claim.nodeName === 'a' && claim.bizdate !== '2026-11-03'
        ? { outcome: 'failed', errorCode: 'MR-D107', errorDetail: 'no' }
        : {},
    );
    await b.start({ dates: ['2026-11-01'], scope: { mode: 'nodes', nodes: ['a'] } });
    await b.line.drain(worker);
    await b.start({ ...november(1, 3), only: 'failed' });
    const rows = await b.line.instances(`run_group_id = ${b.id}`);
    expect(rows.map((row) => `${row.node} ${row.bizdate}`)).toEqual(['a 2026-11-02']);
  });
});

describe('the plan', () => {
  test('counts by date and node, and changes nothing', async () => {
    await using b = await Backfills.open(CHAIN);
    const plan = await b.plan({
      ...november(1, 2),
      order: 'desc',
      scope: { mode: 'nodes', nodes: ['a', 'c'] },
    });
    expect(plan.nodes.map(({ name, isAsked }) => [name, isAsked])).toEqual([
      ['a', true],
      ['c', true],
      ['b', false],
    ]);
    const cell = (run: number, dryRun: number) => ({ run, dryRun, leftOut: 0, conflicts: 0 });
    expect(plan.dates).toEqual([
      { bizdate: '2026-11-02', cells: [cell(1, 0), cell(1, 0), cell(0, 1)] },
      { bizdate: '2026-11-01', cells: [cell(1, 0), cell(1, 0), cell(0, 1)] },
    ]);
    expect(plan.totals).toEqual({ run: 4, dryRun: 2, leftOut: 0, conflicts: 0 });
    expect(await b.line.instances()).toEqual([]);
  });

  test('names what lives of the same node and scheduled time in another run group', async () => {
    await using b = await Backfills.open([node('a')]);
    await b.line.run(b.workflowId, '2026-11-02');
    const plan = await b.plan(november(1, 3));
    expect(plan.totals.conflicts).toBe(1);
    expect(plan.conflicts).toMatchObject([
      { node: 'a', runGroupKind: 'test', runGroupName: 'test 2026-11-02', status: 'waiting_time' },
    ]);
    expect(plan.dates.map(({ cells }) => cells[0]?.conflicts)).toEqual([0, 1, 0]);
  });

  test('names the previous cycle that a node with self-dependence waits for, in whichever run group it ended last', async () => {
    await using b = await Backfills.open([node('a', [], { selfDependence: true }), node('b')]);
    const request = { ...november(2, 3), order: 'desc' } as const;
    expect((await b.plan(request)).choices).toEqual([]);
    await b.line.run(b.workflowId, '2026-11-01');
    await b.line.drain(await b.line.worker());
    const plan = await b.plan(request);
    expect(plan.order).toBe('asc');
    expect(plan.choices).toMatchObject([
      { node: 'a', bizdate: '2026-11-02', runGroupName: 'test 2026-11-01', status: 'succeeded' },
    ]);
    expect(plan.choices[0]?.scheduledAt.toISOString()).toBe('2026-11-01T16:00:00.000Z');
  });

  test('estimates by the medians of past successes, the longest path of each date after the other', async () => {
    await using b = await Backfills.open([node('a'), node('b', ['a']), node('c', ['a'])]);
    expect(await b.plan(november(1, 4))).toMatchObject({ estimateMs: null, unknownNodes: 3 });
    await b.line.run(b.workflowId, '2026-11-10');
    await b.line.drain(await b.line.worker());
    await b.line.database.run(
      `UPDATE node_instance i SET started_at = ended_at - CASE n.name WHEN 'a' THEN interval '10 s'
         WHEN 'b' THEN interval '20 s' ELSE interval '5 s' END FROM node n WHERE n.id = i.node_id`,
    );
    expect(await b.plan(november(1, 4))).toMatchObject({ estimateMs: 120_000, unknownNodes: 0 });
    expect(await b.plan({ ...november(1, 4), parallelism: 2 })).toMatchObject({
      estimateMs: 60_000,
    });
  });

  test('its token lets the same backfill begin, and refuses a world that has changed, with what has', async () => {
    await using b = await Backfills.open([node('a')]);
    const request = november(1, 3);
    const { planToken } = await b.plan(request);
    await b.line.submit('w', { nodes: [node('a'), node('b')] });
    await expect(b.start(request, planToken)).rejects.toMatchObject({
      code: 'MR-S131',
      detail: 'version of the workflow: 1 then, 2 now; instances that run: 3 then, 6 now.',
    });
    const second = await b.plan(request);
    await b.line.run(b.workflowId, '2026-11-02');
    await expect(b.start(request, second.planToken)).rejects.toMatchObject({
      detail: 'conflicts with what runs already: 0 then, 2 now.',
    });
    const third = await b.plan(request);
    await expect(b.start({ ...request, parallelism: 2 }, third.planToken)).rejects.toMatchObject({
      detail: 'another backfill is asked for than was planned.',
    });
    await expect(b.start(request, 'nonsense')).rejects.toMatchObject({ code: 'MR-S131' });
    expect(await b.line.database.rows(`SELECT FROM backfill`)).toEqual([]);
    expect(await b.start(request, third.planToken)).toMatchObject({ instances: 6, bizdates: 3 });
  });

  test('a year of a hundred nodes is planned and made by statements for each date, none for an instance', async () => {
    const nodes = Array.from({ length: 100 }, (_, no) =>
      node(`n${no}`, no === 0 ? [] : [`n${(no - 1) >> 1}`]),
    );
    await using b = await Backfills.open(nodes);
    const request = { ranges: [{ from: '2025-01-01', to: '2025-12-31' }], parallelism: 10 };
    const counting = statementsOf(b);
    const { planToken, totals } = await b.plan(request);
    expect(totals.run).toBe(36_500);
    const planned = counting();
    expect(planned).toBeLessThan(365 * 3 + 40);
    expect(await b.start(request, planToken)).toMatchObject({ instances: 36_500, bizdates: 365 });
    expect(counting() - planned).toBeLessThan(365 * 12 + 40);
    expect(Object.values(await b.dates()).filter((state) => state === 'open')).toHaveLength(10);
  }, 120_000);
});

/** Counts what is sent to the database from now on. */
function statementsOf(b: Backfills): () => number {
  const { orm } = b.line.database;
  const create = orm.createQueryRunner.bind(orm);
  let count = 0;
  orm.createQueryRunner = (...args) => {
    const runner = create(...args);
    const query = runner.query.bind(runner) as (...sent: unknown[]) => Promise<unknown>;
    runner.query = ((...sent: unknown[]) => {
      count++;
      return query(...sent);
    }) as typeof runner.query;
    return runner;
  };
  return () => count;
}
