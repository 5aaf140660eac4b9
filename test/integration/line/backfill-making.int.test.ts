import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { makeDates } from '../../../src/scheduler/backfill/make-backfill.js';
import { backfillById } from '../../../src/store/repositories/backfill-repository.js';
import { AlertLine, PUBLIC_URL } from '../../support/alert-line.js';
import { Backfills, november } from '../../support/backfills.js';
import { node } from '../../support/line.js';

/** 576 instances a day: four dates are made when it is accepted, more than 2000 instances. */
const NODES = [
  node('first', [], { schedule: { period: { every: 'minute', step: 5 } }, selfDependence: true }),
  node('second', ['first'], { schedule: { period: { every: 'minute', step: 5 } } }),
];
const A_DAY = 576;
const AT_ONCE = 4;

describe('a backfill that is too large to be made while its user waits', () => {
  let b: Backfills;
  beforeAll(async () => {
    b = await Backfills.open(NODES);
  });
  afterAll(async () => {
    await b[Symbol.asyncDispose]();
  });

  const make = async (): Promise<number> =>
    await makeDates(b.line.database, b.line.clock.now(), new Map());
  const show = async (): ReturnType<typeof backfillById> =>
    await backfillById(b.line.database, b.line.workspaceId, b.id);

  /** Of each date in its order: instances, edges within it, edges to the date before, others. */
  async function shapes(): Promise<number[][]> {
    const rows = await b.line.database.rows<{ shape: number[] }>(
      `SELECT ARRAY[(SELECT count(*) FROM node_instance i WHERE i.workflow_instance_id = ANY(d.workflow_instance_ids)),
                    count(*) FILTER (WHERE u.bizdate = d.bizdate),
                    count(*) FILTER (WHERE u.bizdate = d.bizdate - 1 AND e.kind = 'self_previous'),
                    count(*) FILTER (WHERE u.bizdate NOT IN (d.bizdate, d.bizdate - 1))]::int[] AS shape
         FROM backfill_date d
         JOIN node_instance i ON i.workflow_instance_id = ANY(d.workflow_instance_ids)
         JOIN instance_edge e ON e.plan_day = i.plan_day AND e.downstream_id = i.id
         JOIN node_instance u ON u.plan_day = e.upstream_plan_day AND u.id = e.upstream_id
        WHERE d.run_group_id = $1 GROUP BY d.no, d.bizdate, d.workflow_instance_ids ORDER BY d.no`,
      [b.id],
    );
    return rows.map((row) => row.shape);
  }

  test('is accepted with its first dates; the others follow in their order, chained like those', async () => {
    const started = await b.start({ ...november(1, 12), parallelism: 2 });
    expect(started).toMatchObject({ instances: 12 * A_DAY, bizdates: 12 });
    expect(await show()).toMatchObject({ made: AT_ONCE, dates: { open: 2, waiting: 10 } });
    expect(await make()).toBe(1);
    expect(await show()).toMatchObject({ made: AT_ONCE + 1, state: 'running', problem: null });
    await expect(b.control({ kind: 'skip', bizdates: ['2026-11-12'] })).rejects.toMatchObject({
      code: 'MR-S192',
    });
    await b.control({ kind: 'pause' });
    expect(await make()).toBe(0);
    await b.control({ kind: 'resume' });
    // Two schedulers: each date is made once, whoever makes it.
    for (let all = AT_ONCE + 1; all < 12;) {
      const both = await Promise.all([make(), make()]);
      all += both[0] + both[1];
    }
    expect(await make()).toBe(0);
    const inner = A_DAY / 2 + A_DAY / 2 - 1;
    const [first, ...others] = await shapes();
    expect(first).toEqual([A_DAY, inner, 0, 0]);
    expect(others).toEqual(Array.from({ length: 11 }, () => [A_DAY, inner, 1, 0]));
    expect(await b.line.wrongPendings()).toBe(0);
    expect(await show()).toMatchObject({
      made: 12,
      statuses: { waiting_upstream: 12 * A_DAY - 1 },
    });
    await b.control({ kind: 'cancel' });
    expect(await b.state()).toBe('cancelled');
  });

  test('is made no further once it is cancelled', async () => {
    await b.start(november(1, 11));
    await b.control({ kind: 'cancel' });
    expect(await make()).toBe(0);
    expect(await show()).toMatchObject({
      made: AT_ONCE,
      state: 'cancelled',
      dates: { cancelled: 11 },
    });
  });

  test('pauses and says why when it cannot be made as it was accepted, and goes on once that is mended', async () => {
    await b.start(november(1, 5));
    await b.line.database.run(
      `INSERT INTO workspace_parameter (workspace_id, name, expression) VALUES ($1, 'region', 'north')`,
      [b.line.workspaceId],
    );
    expect(await make()).toBe(0);
    expect(await show()).toMatchObject({
      state: 'paused',
      made: AT_ONCE,
      problem: { code: 'MR-S191', detail: expect.stringContaining('2026-11-05') },
    });
    await b.line.database.run('DELETE FROM workspace_parameter');
    await b.control({ kind: 'resume' });
    expect(await show()).toMatchObject({ state: 'running', problem: null });
    expect(await make()).toBe(1);
    expect(await show()).toMatchObject({ made: 5 });
    await b.control({ kind: 'cancel' });
  });

  test('goes on with what was accepted before there was a digest of this kind', async () => {
    await b.start(november(1, 5));
    await b.line.database.run(`UPDATE backfill SET making = making - 'digest'`);
    expect(await make()).toBe(1);
    expect(await show()).toMatchObject({ made: 5, problem: null });
    await b.control({ kind: 'cancel' });
  });

  test('tells whoever asked to be told each time that it pauses itself, and not when a user pauses it', async () => {
    const alerts = new AlertLine(b.line);
    await alerts.rule({
      condition: { kind: 'backfill_paused' },
      target: { kind: 'workflows', workflows: ['w'] },
    });
    await b.line.submit('other', { nodes: [node('a')] });
    await alerts.rule({
      condition: { kind: 'backfill_paused' },
      target: { kind: 'workflows', workflows: ['other'] },
    });
    await b.start(november(1, 5));
    await b.control({ kind: 'pause' });
    await alerts.watch();
    expect(await alerts.alerts()).toEqual([]);
    await b.control({ kind: 'resume' });
    await b.line.database.run(
      `INSERT INTO workspace_parameter (workspace_id, name, expression) VALUES ($1, 'region', 'north')`,
      [b.line.workspaceId],
    );
    await make();
    await alerts.watch();
    const found = { workflow: 'w', backfill: 'b', backfillId: b.id, errorCode: 'MR-S191' };
    expect(await alerts.alerts()).toMatchObject([{ ...found, state: 'open', count: 1 }]);
    const [message] = await b.line.database.rows<{ link: string }>(
      `SELECT message #>> '{alerts,0,link}' AS link FROM alert_delivery`,
    );
    expect(message?.link).toBe(`${PUBLIC_URL}/w/shop/ops/backfills/bf_${b.id}`);
    b.line.clock.advance(1000);
    await b.control({ kind: 'resume' });
    await make();
    await alerts.watch();
    expect(await alerts.alerts()).toMatchObject([
      { ...found, state: 'closed' },
      { ...found, state: 'open' },
    ]);
    await b.line.database.run('DELETE FROM workspace_parameter');
    await b.control({ kind: 'cancel' });
    await alerts.watch();
    expect(await alerts.alerts()).toMatchObject([{ state: 'closed' }, { state: 'closed' }]);
  });

  test('makes what its plan saw as failed, whatever becomes of it until then', async () => {
    // The tests before have cancelled all their cycles; these are left out.
    await b.line.database.run(
      `UPDATE node_instance i SET status = 'succeeded' FROM node n
        WHERE n.id = i.node_id AND n.name = 'second' AND i.bizdate = '2026-11-12'`,
    );
    const started = await b.start({ ...november(1, 12), only: 'failed' });
    expect(started).toMatchObject({ instances: 11.5 * A_DAY });
    await b.line.database.run(
      `UPDATE node_instance SET status = 'succeeded' WHERE status = 'cancelled'`,
    );
    while ((await make()) > 0);
    expect(await show()).toMatchObject({ made: 12, problem: null });
    const last = await b.line.database.rows(
      `SELECT n.name, count(*)::int AS n FROM node_instance i JOIN node n ON n.id = i.node_id
        WHERE i.run_group_id = $1 AND i.bizdate = '2026-11-12' GROUP BY n.name`,
      [b.id],
    );
    expect(last).toEqual([{ name: 'first', n: A_DAY / 2 }]);
  });

  test('makes dry runs of a node that forbids backfills, on the dates that come later too', async () => {
    const [first, second] = NODES;
    await b.line.submit('w', { nodes: [first, { ...second, backfill: 'forbidden' }] });
    const kinds = async (): Promise<unknown[]> => {
      while ((await make()) > 0);
      return await b.line.database.rows(
        `SELECT n.name, i.reason, count(*)::int AS n FROM node_instance i JOIN node n ON n.id = i.node_id
          WHERE i.run_group_id = $1 GROUP BY n.name, i.reason ORDER BY n.name`,
        [b.id],
      );
    };
    const all = await b.start({ ranges: [{ from: '2026-09-01', to: '2026-09-05' }] });
    expect(all).toMatchObject({ instances: 5 * A_DAY });
    expect(await kinds()).toEqual([
      { name: 'first', reason: null, n: (5 * A_DAY) / 2 },
      { name: 'second', reason: 'backfill_forbidden', n: (5 * A_DAY) / 2 },
    ]);
    expect(await show()).toMatchObject({ made: 5, problem: null });
    const dates = { ranges: [{ from: '2026-09-01', to: '2026-09-09' }] };
    expect(await b.start({ ...dates, only: 'missing' })).toMatchObject({ bizdates: 9 });
    expect(await kinds()).toEqual([{ name: 'first', reason: null, n: (9 * A_DAY) / 2 }]);
    expect(await show()).toMatchObject({ made: 9, problem: null });
  });
});
