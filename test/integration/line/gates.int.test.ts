import { describe, expect, test } from '@jest/globals';

import type { Sql } from '../../../src/store/database.js';
import {
  changeQuotas,
  deleteGate,
  findGateTarget,
  type GateTarget,
  gatesOfWorkspace,
  insertGate,
  updateGate,
} from '../../../src/store/repositories/gate-repository.js';
import { claimReadyInstances } from '../../../src/store/sql/claim-ready-instances.sql.js';
import type { Claim } from '../../../src/worker-link/worker-link.js';
import { type FakeWorker, Line, node } from '../../support/line.js';
import { journalSlots, mostSlotsHeld } from '../../support/slot-journal.js';

const HOURLY = { cron: '0 * * * *' };
const DAILY = { cron: '0 0 * * *' };

async function gate(line: Line, target: GateTarget, capacity: number): Promise<number> {
  return await line.database.transaction(async (tx) => {
    const targetId = await findGateTarget(tx, line.workspaceId, target);
    if (targetId === undefined) throw new Error(`there is no ${JSON.stringify(target)}`);
    const { workspaceId } = line;
    const id = await insertGate(tx, { workspaceId, scope: target.scope, targetId, capacity });
    if (id === undefined) throw new Error('there is a gate already');
    return id;
  });
}

async function quotas(line: Line, slots: Readonly<Record<string, number | null>>): Promise<void> {
  await line.database.transaction((tx) => changeQuotas(tx, line.groupId, slots));
}

async function secondGroup(line: Line, slots: number): Promise<void> {
  await line.database.run(
    `INSERT INTO resource_group (name, slots, gated) VALUES ('night', $1, EXISTS (SELECT FROM gate))`,
    [slots],
  );
}

async function dataSource(line: Line, name: string): Promise<void> {
  await line.database.run(
    `WITH s AS (INSERT INTO secret (key_id, wrapped_key, ciphertext)
                SELECT key_id, '', '' FROM secret_key LIMIT 1 RETURNING id)
     INSERT INTO data_source (workspace_id, name, type, config, config_version, secret_id)
     SELECT $1, $2, 'mysql', '{}', 1, id FROM s`,
    [line.workspaceId, name],
  );
}

async function ready(line: Line, draft: object, name = 'w'): Promise<number> {
  const { workflowId } = await line.submit(name, draft);
  await line.run(workflowId, '2026-11-20');
  await line.release();
  return workflowId;
}

const names = (claims: readonly Claim[]): string[] => claims.map((claim) => claim.nodeName);

async function finishAll(worker: FakeWorker, claims: readonly Claim[]): Promise<void> {
  for (const claim of claims) expect(await worker.finish(claim)).toBe(0);
}

describe('a gate', () => {
  test('lets so many instances of a node through at once, and a finish lets the next one through', async () => {
    await using line = await Line.open({ slots: 100 });
    await ready(line, { schedule: HOURLY, nodes: [node('a')] });
    await gate(line, { scope: 'node', workflow: 'w', node: 'a' }, 2);
    const worker = await line.worker();
    const first = await worker.claim(100);
    expect(first).toHaveLength(2);
    expect(await worker.claim(100)).toEqual([]);
    await finishAll(worker, first.slice(0, 1));
    const next = await worker.claim(100);
    expect(next).toHaveLength(1);
    // In the order of their ranks, as without a gate.
    expect([...first, ...next].map((claim) => claim.scheduledAt)).toEqual(
      (await line.instances()).slice(0, 3).map((each) => each.scheduled_at.toISOString()),
    );
    await finishAll(worker, [...first.slice(1), ...next]);
    expect(await line.drain(worker)).toHaveLength(21);
  });

  test('that a finish in another group opens wakes whoever waits, and the next claim goes through', async () => {
    await using line = await Line.open({ slots: 100 });
    await secondGroup(line, 100);
    const { workflowId } = await line.submit('w', {
      nodes: [node('day', [], { priority: 8 }), node('night', [], { resourceGroup: 'night' })],
    });
    await gate(line, { scope: 'workflow', workflow: 'w' }, 1);
    await line.run(workflowId, '2026-11-20');
    await line.release();
    const day = await line.worker();
    const night = await line.worker({ resourceGroup: 'night' });
    const held = await day.claim(1);
    expect(names(held)).toEqual(['day']);
    expect(await night.claim(1)).toEqual([]);
    const woken = new Promise<void>((resolve) => line.wakeBus.subscribe('work', resolve));
    await finishAll(day, held);
    await woken;
    expect(names(await night.claim(1))).toEqual(['night']);
  });

  test('holds up nothing that is behind what it holds', async () => {
    await using line = await Line.open({ slots: 100 });
    const nodes = [node('gated', [], { priority: 8 }), node('free', [], { schedule: DAILY })];
    const { workflowId } = await line.submit('w', { schedule: HOURLY, nodes });
    await gate(line, { scope: 'node', workflow: 'w', node: 'gated' }, 1);
    await line.run(workflowId, '2026-11-20');
    await line.release();
    const worker = await line.worker();
    expect(names(await worker.claim(2))).toEqual(['gated', 'free']);
  });

  test('that is made while its instances wait and run counts what runs', async () => {
    await using line = await Line.open({ slots: 100 });
    await ready(line, { schedule: HOURLY, nodes: [node('a')] });
    const worker = await line.worker();
    const running = await worker.claim(3);
    const id = await gate(line, { scope: 'node', workflow: 'w', node: 'a' }, 3);
    expect(await worker.claim(100)).toEqual([]);
    const [shown] = await gatesOfWorkspace(line.database, line.workspaceId);
    expect(shown).toMatchObject({ id, capacity: 3, running: 3, waiting: 21 });
    expect(shown?.holders.map((each) => each.id)).toEqual(running.map((each) => each.instanceId));
    await finishAll(worker, running.slice(0, 2));
    expect(await worker.claim(100)).toHaveLength(2);
  });

  test('lets more through when it is made wider, nothing when it is shut, everything when it is gone', async () => {
    await using line = await Line.open({ slots: 100 });
    await ready(line, { schedule: HOURLY, nodes: [node('a')] });
    const id = await gate(line, { scope: 'workflow', workflow: 'w' }, 0);
    const { database, workspaceId } = line;
    const worker = await line.worker();
    expect(await worker.claim(100)).toEqual([]);
    const [waiting] = await line.instances();
    if (waiting === undefined) throw new Error('nobody waits');
    const key = { planDay: waiting.plan_day, id: waiting.id };
    const why = await line.commands.explainInstance(key);
    expect(why.reasons[0]?.text).toContain('The gate of workflow "w" is shut');
    await database.transaction((tx) => updateGate(tx, workspaceId, id, 5));
    expect(await worker.claim(100)).toHaveLength(5);
    await database.transaction((tx) => deleteGate(tx, workspaceId, id));
    expect(await worker.claim(100)).toHaveLength(19);
    const groups = await database.rows(`SELECT gated FROM resource_group`);
    expect(groups).toEqual([{ gated: false }]);
  });

  test('before a data source counts instances of all workflows and groups that use it', async () => {
    await using line = await Line.open({ slots: 100 });
    await secondGroup(line, 100);
    await dataSource(line, 'shop_db');
    const nodes = [node('load'), node('night', [], { resourceGroup: 'night' }), node('other')];
    const { workflowId } = await line.submit('w', { nodes });
    await line.database.run(
      `UPDATE node_version SET data_sources = '{shop_db}'
        WHERE node_id IN (SELECT id FROM node WHERE name IN ('load', 'night'))`,
    );
    await gate(line, { scope: 'data_source', dataSource: 'shop_db' }, 1);
    await line.run(workflowId, '2026-11-20');
    await line.release();
    const day = await line.worker();
    const night = await line.worker({ resourceGroup: 'night' });
    const held = await day.claim(100);
    expect(names(held).sort()).toEqual(['load', 'other']);
    expect(await night.claim(100)).toEqual([]);
    const [waiting] = await line.instances(`n.name = 'night'`);
    if (waiting === undefined) throw new Error('nobody waits');
    const key = { planDay: waiting.plan_day, id: waiting.id };
    const why = await line.commands.explainInstance(key);
    expect(why.reasons[0]).toMatchObject({
      gate: 'resource',
      text: 'The gate of data source "shop_db" lets 1 instance through at once, and 1 run.',
      refs: [held.find((claim) => claim.nodeName === 'load')?.publicId],
    });
    await finishAll(day, held);
    expect(names(await night.claim(100))).toEqual(['night']);
  });

  test('is one of several that an instance has to go through, and none of them is passed over', async () => {
    await using line = await Line.open({ slots: 100 });
    const { workflowId } = await line.submit('w', {
      schedule: HOURLY,
      nodes: [node('a'), node('b')],
    });
    await gate(line, { scope: 'workflow', workflow: 'w' }, 3);
    await gate(line, { scope: 'node', workflow: 'w', node: 'a' }, 1);
    await line.run(workflowId, '2026-11-20');
    await line.release();
    const worker = await line.worker();
    let most = 0;
    for (let held: Claim[] = []; ;) {
      held.push(...(await worker.claim(100)));
      if (held.length === 0) break;
      most = Math.max(most, held.length);
      expect(held.length).toBeLessThanOrEqual(3);
      expect(names(held).filter((name) => name === 'a').length).toBeLessThanOrEqual(1);
      await finishAll(worker, held.splice(0, 1));
    }
    expect(most).toBe(3);
    expect((await line.instances(`i.status <> 'succeeded'`)).length).toBe(0);
  });

  test('of a data source that is deleted holds nothing any more', async () => {
    await using line = await Line.open({ slots: 100 });
    await dataSource(line, 'shop_db');
    const { workflowId } = await line.submit('w', { nodes: [node('load')] });
    await line.database.run(`UPDATE node_version SET data_sources = '{shop_db}'`);
    await gate(line, { scope: 'data_source', dataSource: 'shop_db' }, 0);
    await line.run(workflowId, '2026-11-20');
    await line.release();
    const worker = await line.worker();
    expect(await worker.claim(1)).toEqual([]);
    await line.database.run(`DELETE FROM data_source`);
    expect(await worker.claim(1)).toHaveLength(1);
  });

  test('64 claim loops of two groups never get more through than it lets, nor less', async () => {
    await using line = await Line.open({ slots: 40 });
    await secondGroup(line, 40);
    const nodes = Array.from({ length: 160 }, (_, no) =>
      node(`n${no}`, [], no % 2 === 0 ? {} : { resourceGroup: 'night' }),
    );
    const { workflowId } = await line.submit('w', { nodes });
    await gate(line, { scope: 'workflow', workflow: 'w' }, 5);
    await line.run(workflowId, '2026-11-20');
    await line.release();
    await journalSlots(line.database);
    const workers = await Promise.all(
      Array.from({ length: 64 }, (_, no) =>
        line.worker(no % 2 === 0 ? {} : { resourceGroup: 'night' }),
      ),
    );
    let finished = 0;
    const deadline = performance.now() + 100_000;
    await Promise.all(
      workers.map(async (worker) => {
        while (finished < nodes.length && performance.now() < deadline) {
          for (const claim of await worker.claim(4)) {
            await worker.finish(claim);
            finished++;
          }
        }
      }),
    );
    expect(finished).toBe(nodes.length);
    expect(await mostSlotsHeld(line.database)).toBe(5);
  }, 150_000);

  test('that is closed costs a claim nothing, whatever waits before it', async () => {
    await using line = await Line.open({ slots: 100 });
    await ready(line, { nodes: [node('held'), node('free')] });
    await gate(line, { scope: 'node', workflow: 'w', node: 'held' }, 0);
    await line.database.run(
      `INSERT INTO ready_instance (resource_group_id, rank, plan_day, instance_id, node_id, scheduled_at,
              path, node_type, slots, gate_id)
       SELECT r.resource_group_id, r.rank - g, r.plan_day, 1000000 + g, r.node_id, r.scheduled_at, g::text,
              r.node_type, r.slots, r.gate_id
         FROM ready_instance r, generate_series(1, 20000) g WHERE r.gate_id > 0`,
    );
    await line.database.run('ANALYZE ready_instance');
    const { workerId } = await line.worker();
    const { claimed, read } = await line.database.transaction(async (tx) => {
      const ask = {
        workerId,
        resourceGroupId: line.groupId,
        nodeTypes: ['shell'],
        labels: [],
        limit: 10,
      };
      const claimed = await claimReadyInstances(tx, ask, line.clock.now(), () => Promise.resolve());
      return { claimed: claimed?.rows.length, read: await rowsRead(tx) };
    });
    expect(claimed).toBe(1);
    expect(read).toBeLessThan(50);
  });
});

/** Rows of the ready set that this transaction has read. */
async function rowsRead(tx: Sql): Promise<number> {
  const [row] = await tx.rows<{ read: number }>(
    `SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) AS read FROM pg_stat_xact_user_tables
      WHERE relname = 'ready_instance'`,
  );
  return row?.read ?? Number.NaN;
}

describe('a quota of a node type', () => {
  test('keeps its slots of a group from being exceeded, and leaves the rest to other types', async () => {
    await using line = await Line.open({ slots: 100 });
    const { workflowId } = await line.submit('w', {
      schedule: HOURLY,
      nodes: [node('big', [], { slots: 2, priority: 8 }), node('other', [], { schedule: DAILY })],
    });
    await line.database.run(`UPDATE node_version SET type = 'sync'
        WHERE node_id = (SELECT id FROM node WHERE name = 'big')`);
    await quotas(line, { sync: 5 });
    await line.run(workflowId, '2026-11-20');
    await line.release();
    const worker = await line.worker();
    const held = await worker.claim(100);
    expect(names(held)).toEqual(['big', 'big', 'other']);
    const [waiting] = await line.instances(`i.status = 'waiting_resource'`);
    if (waiting === undefined) throw new Error('nobody waits');
    const key = { planDay: waiting.plan_day, id: waiting.id };
    const why = await line.commands.explainInstance(key);
    expect(why.reasons[0]).toMatchObject({
      text: 'The quota of node type "sync" in resource group "default" is 5 slots, and 4 are used.',
      refs: held.slice(0, 2).map((claim) => claim.publicId),
    });
    await quotas(line, { sync: 8 });
    expect(await worker.claim(100)).toHaveLength(2);
    await quotas(line, { sync: null });
    expect(await worker.claim(100)).toHaveLength(20);
  });
});
