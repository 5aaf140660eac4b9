import { describe, expect, test } from '@jest/globals';

import {
  createBackfillLoop,
  driveBackfills,
} from '../../../src/scheduler/backfill/backfill-loop.js';
import type { Claim } from '../../../src/worker-link/worker-link.js';
import { Backfills, november } from '../../support/backfills.js';
import { node } from '../../support/line.js';

const FAILED = { outcome: 'failed', errorCode: 'MR-D107', errorDetail: 'no' } as const;

const bizdatesOf = (claims: readonly Claim[]): string[] =>
  claims.map((claim) => claim.bizdate.slice(8)).sort();

describe('the business dates of a backfill', () => {
  test('one after the other unless more are asked for, and no date begins before the one before it is over', async () => {
    await using b = await Backfills.open([node('a'), node('b', ['a'])]);
    await b.start(november(1, 4));
    const worker = await b.line.worker();
    for (const expected of ['01', '02', '03', '04']) {
      for (const name of ['a', 'b']) {
        const claims = await b.claim(worker);
        expect(claims.map((claim) => `${claim.nodeName} ${claim.bizdate.slice(8)}`)).toEqual([
          `${name} ${expected}`,
        ]);
        for (const claim of claims) await worker.finish(claim);
      }
    }
    expect(await b.claim(worker)).toEqual([]);
    expect(await b.state()).toBe('ended');
    expect(await b.line.wrongPendings()).toBe(0);
  });

  test('date k + parallelism begins only when date k is final, whatever its neighbours do', async () => {
    await using b = await Backfills.open([node('a')]);
    await b.start({ ...november(1, 6), parallelism: 2 });
    const worker = await b.line.worker();
    const first = await b.claim(worker);
    expect(bizdatesOf(first)).toEqual(['01', '02']);
    const [one, two] = [...first].sort((x, y) => x.bizdate.localeCompare(y.bizdate));
    if (one === undefined || two === undefined) throw new Error('two were claimed');

    await worker.finish(two);
    const second = await b.claim(worker);
    // 4 follows 2; 3 follows 1, which still runs.
    expect(bizdatesOf(second)).toEqual(['04']);
    await worker.finish(one);
    expect(bizdatesOf(await b.claim(worker))).toEqual(['03']);
  });

  test('a failed date holds its place until it is retried', async () => {
    await using b = await Backfills.open([node('a', [], { retry: { max: 0 } })]);
    await b.start(november(1, 2));
    const worker = await b.line.worker();
    for (const claim of await b.claim(worker)) await worker.finish(claim, FAILED);
    expect(await b.claim(worker)).toEqual([]);
    expect(await b.dates()).toEqual({ '11-01': 'open', '11-02': 'waiting' });

    expect(await b.control({ kind: 'retry' })).toMatchObject({ retried: 1, refused: 0 });
    for (const claim of await b.claim(worker)) await worker.finish(claim);
    expect(bizdatesOf(await b.claim(worker))).toEqual(['02']);
  });

  test('a skipped date gives its place away, and what waits of it is cancelled', async () => {
    await using b = await Backfills.open([node('a', [], { retry: { max: 0 } }), node('b', ['a'])]);
    await b.start(november(1, 3));
    const worker = await b.line.worker();
    for (const claim of await b.claim(worker)) await worker.finish(claim, FAILED);
    await b.control({ kind: 'skip', bizdates: ['2026-11-01', '2026-11-03'] });
    expect(await b.dates()).toEqual({ '11-01': 'skipped', '11-02': 'open', '11-03': 'skipped' });
    expect(bizdatesOf(await b.claim(worker))).toEqual(['02']);
    const left = await b.line.instances(`bizdate <> '2026-11-02'`);
    expect(left.map((each) => each.status).sort()).toEqual([
      'cancelled',
      'cancelled',
      'cancelled',
      'failed',
    ]);
    await expect(b.control({ kind: 'skip', bizdates: ['2026-11-03'] })).rejects.toMatchObject({
      code: 'MR-S134',
    });
  });

  test('descending, the newest date begins', async () => {
    await using b = await Backfills.open([node('a')]);
    await b.start({ ...november(1, 3), order: 'desc' });
    const worker = await b.line.worker();
    const seen: string[] = [];
    await b.line.drain(worker, (claim) => {
      seen.push(claim.bizdate.slice(8));
      return {};
    });
    expect(seen).toEqual(['03', '02', '01']);
  });

  test('several ranges and single dates are each run once', async () => {
    await using b = await Backfills.open([node('a')]);
    const started = await b.start({
      ranges: [
        { from: '2026-11-01', to: '2026-11-02' },
        { from: '2026-11-02', to: '2026-11-03' },
      ],
      dates: ['2026-10-01', '2026-11-03'],
    });
    expect(started).toMatchObject({ bizdates: 4, instances: 4 });
    expect(Object.keys(await b.dates())).toEqual(['10-01', '11-01', '11-02', '11-03']);
  });

  test('more than seven ranges, a range that ends before it begins, and no date at all are refused', async () => {
    await using b = await Backfills.open([node('a')]);
    const range = { from: '2026-11-01', to: '2026-11-01' };
    for (const ranges of [Array(8).fill(range), [{ from: '2026-11-02', to: '2026-11-01' }], []])
      await expect(b.start({ ranges })).rejects.toMatchObject({ code: 'MR-S130' });
  });

  test('a node that depends on its previous cycle waits for its own in the date before, also with many dates open', async () => {
    await using b = await Backfills.open([node('a', [], { selfDependence: true })]);
    await b.start({ ...november(1, 5), parallelism: 3, order: 'desc' });
    const seen: string[] = [];
    await b.line.drain(await b.line.worker(), (claim) => {
      seen.push(claim.bizdate.slice(8));
      return {};
    });
    expect(seen).toEqual(['01', '02', '03', '04', '05']);
    expect(await b.state()).toBe('ended');
  });

  test('nodes that need no worker wait for their date as well', async () => {
    await using b = await Backfills.open([
      node('dry', [], { scheduleType: 'dry_run' }),
      node('a', ['dry']),
    ]);
    await b.start(november(1, 2));
    const worker = await b.line.worker();
    await b.claim(worker);
    const dry = (await b.line.instances()).filter((each) => each.node === 'dry');
    expect(dry.map((each) => `${each.bizdate.slice(8)} ${each.status}`)).toEqual([
      '01 succeeded',
      '02 waiting_time',
    ]);
  });

  test('the loop of a scheduler opens the next date once a finish has woken it', async () => {
    await using b = await Backfills.open([node('a')]);
    await b.start(november(1, 2));
    const worker = await b.line.worker();
    const [claim] = await b.claim(worker);
    if (claim === undefined) throw new Error('nothing was claimed');
    const failures: unknown[] = [];
    const { database, clock, wakeBus } = b.line;
    const logger = { warn: (fields: object) => void failures.push(fields) };
    const loop = createBackfillLoop(database, clock, wakeBus, logger);
    const unsubscribe = wakeBus.subscribe('work', loop.wake);
    loop.start();
    await worker.finish(claim);
    for (let tries = 0; tries < 500 && (await b.dates())['11-02'] !== 'open'; tries++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    unsubscribe();
    await loop.stop();
    expect(failures).toEqual([]);
    expect(await b.dates()).toEqual({ '11-01': 'done', '11-02': 'open' });
  });

  test('two schedulers at once open no date too many', async () => {
    await using b = await Backfills.open([node('a')]);
    await b.start({ ...november(1, 9), parallelism: 2 });
    const worker = await b.line.worker();
    for (const claim of await b.claim(worker)) await worker.finish(claim);
    const now = b.line.clock.now();
    await Promise.all(Array.from({ length: 6 }, () => driveBackfills(b.line.database, now)));
    const states = Object.values(await b.dates());
    expect(states.filter((state) => state === 'open')).toHaveLength(2);
  });

  test('why names the turn of the date and the dates that are open', async () => {
    await using b = await Backfills.open([node('a')]);
    await b.start(november(1, 2));
    await b.line.release();
    const second = (await b.line.instances()).find((each) => each.bizdate === '2026-11-02');
    const why = await b.line.commands.explainInstance({
      planDay: second?.plan_day ?? '',
      id: second?.id ?? 0,
    });
    expect(why.reasons).toEqual([
      {
        gate: 'time',
        text: 'Business date 2026-11-02 waits for its turn in the backfill, 1 at once; open now: 2026-11-01.',
        refs: [],
      },
    ]);
  });
});

describe('an operator', () => {
  test('pauses: nothing more is handed out, what runs may end, and resuming goes on', async () => {
    await using b = await Backfills.open([node('a'), node('b', ['a'])]);
    await b.start({ ...november(1, 3), parallelism: 2 });
    const worker = await b.line.worker();
    const [first, second] = await b.claim(worker);
    if (first === undefined || second === undefined) throw new Error('two were claimed');
    expect(await b.control({ kind: 'pause' })).toMatchObject({ state: 'paused' });
    await worker.finish(first);
    await worker.finish(second);
    expect(await b.claim(worker)).toEqual([]);
    const ready = (await b.line.instances()).find((each) => each.status === 'waiting_resource');
    const why = await b.line.commands.explainInstance({
      planDay: ready?.plan_day ?? '',
      id: ready?.id ?? 0,
    });
    expect(why.reasons[0]?.text).toBe('Its backfill is paused: resume it.');
    await b.control({ kind: 'resume' });
    expect(await b.line.drain(worker)).toHaveLength(4);
    expect(await b.state()).toBe('ended');
  });

  test('cancels: what waits is cancelled, what runs is asked to stop, and no date is opened any more', async () => {
    await using b = await Backfills.open([node('a'), node('b', ['a'])]);
    await b.start({ ...november(1, 3), parallelism: 2 });
    const worker = await b.line.worker();
    const claims = await b.claim(worker);
    expect(await b.control({ kind: 'cancel' })).toMatchObject({ state: 'cancelling' });
    for (const claim of claims) await worker.finish(claim, { outcome: 'cancelled' });
    await driveBackfills(b.line.database, b.line.clock.now());
    expect(await b.state()).toBe('cancelled');
    expect(new Set((await b.line.instances()).map((each) => each.status))).toEqual(
      new Set(['cancelled']),
    );
    expect(await b.line.wrongPendings()).toBe(0);
    await expect(b.control({ kind: 'resume' })).rejects.toMatchObject({ code: 'MR-S133' });
    const [rests] = await b.line.database.rows(
      `SELECT (SELECT count(*)::int FROM ready_instance) AS ready, (SELECT count(*)::int FROM due_instance) AS due`,
    );
    expect(rests).toEqual({ ready: 0, due: 0 });
  });

  test('changes how many dates are open, and the next ones follow at once', async () => {
    await using b = await Backfills.open([node('a')]);
    await b.start(november(1, 6));
    const worker = await b.line.worker();
    const first = await b.claim(worker);
    await b.control({ kind: 'parallelism', parallelism: 3 });
    const more = await b.claim(worker);
    expect([...bizdatesOf(first), ...bizdatesOf(more)]).toEqual(['01', '02', '03']);
    await b.control({ kind: 'parallelism', parallelism: 1 });
    const [last, ...others] = [...more].reverse();
    for (const claim of [...first, ...others]) await worker.finish(claim);
    // One of three still runs, and one is all that may.
    expect(await b.claim(worker)).toEqual([]);
    if (last !== undefined) await worker.finish(last);
    expect(bizdatesOf(await b.claim(worker))).toEqual(['04']);
  });

  test('may not touch the backfill of another workspace', async () => {
    await using b = await Backfills.open([node('a')]);
    await b.start(november(1, 2));
    const command = { runGroupId: b.id, workspaceId: b.line.workspaceId + 1 };
    await expect(
      b.line.commands.controlBackfill({ ...command, action: { kind: 'cancel' } }),
    ).rejects.toMatchObject({ code: 'MR-A104' });
  });
});

describe('what a backfill takes of the workers', () => {
  test('no more than its share of the slots, and what was planned has the rest', async () => {
    await using b = await Backfills.open([node('a')], { slots: 4 });
    await b.start({ ...november(1, 9), parallelism: 9 });
    const worker = await b.line.worker();
    const claims = await b.claim(worker);
    expect(claims).toHaveLength(2);
    expect(await b.claim(worker)).toEqual([]);
    const { workflowId } = await b.line.submit('daily', {
      nodes: [node('x'), node('y'), node('z')],
    });
    await b.line.run(workflowId, '2026-11-20');
    expect((await b.claim(worker)).map((claim) => claim.nodeName)).toEqual(['x', 'y']);
  });

  test('one instance even where it alone is more than the share', async () => {
    await using b = await Backfills.open([node('a', [], { slots: 3 })], { slots: 4 });
    await b.start({ ...november(1, 2), parallelism: 2 });
    const worker = await b.line.worker();
    expect(await b.claim(worker)).toHaveLength(1);
    expect(await b.claim(worker)).toEqual([]);
  });

  test('nothing outside of its clock window, also one over midnight', async () => {
    // 12:00 in Shanghai.
    await using b = await Backfills.open([node('a')], { now: '2026-11-21T04:00:00Z' });
    await b.start({ ...november(1, 3), window: { from: '22:30', to: '06:00' } });
    const worker = await b.line.worker();
    expect(await b.claim(worker)).toEqual([]);
    const [row] = await b.line.instances(`bizdate = '2026-11-01'`);
    const why = await b.line.commands.explainInstance({
      planDay: row?.plan_day ?? '',
      id: row?.id ?? 0,
    });
    expect(why.reasons[0]?.text).toBe(
      'Its backfill runs from 22:30 to 06:00 (Asia/Shanghai) only.',
    );
    b.line.clock.set('2026-11-21T14:30:00Z');
    for (const claim of await b.claim(worker)) await worker.finish(claim);
    b.line.clock.set('2026-11-21T21:59:00Z');
    for (const claim of await b.claim(worker)) await worker.finish(claim);
    b.line.clock.set('2026-11-21T22:00:00Z');
    expect(await b.claim(worker)).toEqual([]);
    expect(await b.dates()).toEqual({ '11-01': 'done', '11-02': 'done', '11-03': 'open' });
  });

  test('another resource group, priority and parameters', async () => {
    await using b = await Backfills.open([
      node('a', [], { parameters: { region: 'eu' }, resourceGroup: 'default' }),
    ]);
    await b.line.database.run(`INSERT INTO resource_group (name, slots) VALUES ('night', 10)`);
    await b.start({
      ...november(1, 1),
      resourceGroup: 'night',
      priority: 11,
      parameters: { region: 'us' },
    });
    const [row] = await b.line.database.rows(
      `SELECT g.name, i.priority, d.parameters FROM node_instance i
         JOIN resource_group g ON g.id = i.resource_group_id
         JOIN node_instance_detail d ON d.instance_id = i.id`,
    );
    expect(row).toEqual({ name: 'night', priority: 11, parameters: { region: 'us' } });
    await expect(b.start({ ...november(1, 1), resourceGroup: 'nigth' })).rejects.toMatchObject({
      code: 'MR-A101',
    });
    await expect(
      b.start({ ...november(1, 1), parameters: { regoin: 'us' } }),
    ).rejects.toMatchObject({ code: 'MR-S111' });
  });

  test('future dates wait for their time unless they are to run now', async () => {
    await using b = await Backfills.open([node('a')], { now: '2026-11-21T04:00:00Z' });
    const worker = await b.line.worker();
    const dates = ['2026-11-25'];
    await b.start({ dates });
    expect(await b.claim(worker)).toEqual([]);
    await b.start({ dates, runFutureNow: true });
    expect(bizdatesOf(await b.claim(worker))).toEqual(['25']);
  });
});
