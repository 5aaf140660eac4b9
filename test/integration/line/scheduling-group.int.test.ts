import { describe, expect, test } from '@jest/globals';

import { setSchedulingSlots } from '../../../src/store/repositories/gate-repository.js';
import { updateResourceGroup } from '../../../src/store/repositories/resource-group-repository.js';

import { requeue } from '../../../src/store/sql/requeue.sql.js';
import type { Claim } from '../../../src/worker-link/worker-link.js';
import { brokenInvariants } from '../../support/invariants.js';
import { Line, node } from '../../support/line.js';

const HOURLY = { cron: '0 * * * *' };
const PLANNED = { schedulingGroup: 'planner' };

async function addGroup(line: Line, name: string, slots: number): Promise<number> {
  const [row] = await line.database.rows<{ id: number }>(
    `INSERT INTO resource_group (name, slots) VALUES ($1, $2) RETURNING id`,
    [name, slots],
  );
  return row?.id ?? 0;
}

async function schedulingSlots(line: Line, groupId: number, slots: number): Promise<void> {
  await line.database.transaction((tx) => setSchedulingSlots(tx, groupId, slots));
}

/** A group that only schedules. */
async function planner(line: Line, slots: number): Promise<number> {
  const id = await addGroup(line, 'planner', 0);
  await schedulingSlots(line, id, slots);
  return id;
}

async function ready(line: Line, draft: object): Promise<number> {
  const { workflowId } = await line.submit('w', draft);
  await line.run(workflowId, '2026-11-20');
  await line.release();
  return workflowId;
}

async function why(line: Line): Promise<string | undefined> {
  const [waiting] = await line.instances(`i.status = 'waiting_resource'`);
  if (waiting === undefined) throw new Error('nobody waits');
  const key = { planDay: waiting.plan_day, id: waiting.id };
  return (await line.commands.explainInstance(key)).reasons[0]?.text;
}

const names = (claims: readonly Claim[]): string[] => claims.map((claim) => claim.nodeName);

describe('a scheduling group', () => {
  test('gives a node its second slot: none runs without one in each, and others go past what waits', async () => {
    await using line = await Line.open({ slots: 5 });
    await planner(line, 2);
    const nodes = [node('load', [], { ...PLANNED, priority: 8 }), node('other', [])];
    await ready(line, { schedule: HOURLY, nodes });
    const worker = await line.worker();
    const held = await worker.claim(100);
    expect(names(held)).toEqual(['load', 'load', 'other', 'other', 'other']);
    expect(await why(line)).toBe(
      'Resource group "planner", which schedules it, uses 2 of 2 scheduling slots.',
    );
    expect(await brokenInvariants(line.database)).toEqual([]);
    for (const claim of held) await worker.finish(claim);
    const next = await worker.claim(100);
    expect(names(next).sort()).toEqual(['load', 'load', 'other', 'other', 'other']);
    for (const claim of next) await worker.finish(claim);
    expect(await line.drain(worker)).toHaveLength(48 - 10);
  });

  test('counts the instances of all groups that it schedules', async () => {
    await using line = await Line.open({ slots: 100 });
    await planner(line, 3);
    await addGroup(line, 'night', 100);
    const nodes = [
      node('day', [], PLANNED),
      node('night', [], { ...PLANNED, resourceGroup: 'night' }),
    ];
    await ready(line, { schedule: HOURLY, nodes });
    const day = await line.worker();
    const night = await line.worker({ resourceGroup: 'night' });
    expect(await day.claim(2)).toHaveLength(2);
    const [held] = await night.claim(100);
    if (held === undefined) throw new Error('nothing was claimed');
    expect(await day.claim(100)).toEqual([]);
    const woken = new Promise<void>((resolve) => line.wakeBus.subscribe('work', resolve));
    await night.finish(held);
    await woken;
    expect(await day.claim(100)).toHaveLength(1);
  });

  test('that schedules its own nodes takes both slots in itself', async () => {
    await using line = await Line.open({ slots: 5 });
    await schedulingSlots(line, line.groupId, 2);
    await ready(line, { schedule: HOURLY, nodes: [node('a', [], { schedulingGroup: 'default' })] });
    expect(await (await line.worker()).claim(100)).toHaveLength(2);
  });

  test('that drains schedules nothing new, and why says so', async () => {
    await using line = await Line.open({ slots: 5 });
    const id = await planner(line, 2);
    await ready(line, { schedule: HOURLY, nodes: [node('a', [], PLANNED)] });
    const worker = await line.worker();
    await line.database.transaction((tx) => updateResourceGroup(tx, id, { draining: true }));
    expect(await worker.claim(10)).toEqual([]);
    expect(await why(line)).toBe(
      'Resource group "planner", which schedules it, is draining: it takes nothing new until somebody undoes that.',
    );
    await line.database.transaction((tx) => updateResourceGroup(tx, id, { draining: false }));
    expect(await worker.claim(10)).toHaveLength(2);
  });

  test('gives backfills no more of its slots than their share', async () => {
    await using line = await Line.open({ slots: 100 });
    const id = await planner(line, 4);
    await line.database.transaction((tx) => updateResourceGroup(tx, id, { backfillShare: 50 }));
    await ready(line, { schedule: HOURLY, nodes: [node('a', [], PLANNED)] });
    await line.database.run(`UPDATE ready_instance SET backfill_id = 77 WHERE instance_id IN (
        SELECT instance_id FROM ready_instance ORDER BY rank, instance_id LIMIT 23)`);
    await line.database.run(`UPDATE node_instance i SET in_backfill = true, run_group_id = 77
       FROM ready_instance r WHERE r.instance_id = i.id AND r.backfill_id = 77`);
    await line.database.run(
      `UPDATE resource_group SET backfill_share = 100 WHERE name = 'default'`,
    );
    const worker = await line.worker();
    expect(await worker.claim(100)).toHaveLength(3);
    const taken = await line.database.rows<{ backfill_id: number; count: number }>(
      `SELECT backfill_id, count(*)::int AS count FROM running_attempt GROUP BY 1 ORDER BY 1`,
    );
    expect(taken).toEqual([
      { backfill_id: 0, count: 1 },
      { backfill_id: 77, count: 2 },
    ]);
    expect(await why(line)).toBe(
      'Resource group "planner", which schedules it, uses 3 of 4 scheduling slots; those that are for backfills are taken.',
    );
  });

  test('has to be there and to have scheduling slots, and its node has to take a slot', async () => {
    await using line = await Line.open();
    const submit = async (more: object): Promise<unknown> =>
      await line.submit('w', { nodes: [node('a', [], more)] });
    await expect(submit(PLANNED)).rejects.toMatchObject({ code: 'MR-S142' });
    const id = await addGroup(line, 'planner', 0);
    await expect(submit(PLANNED)).rejects.toMatchObject({ code: 'MR-S195' });
    await schedulingSlots(line, id, 0);
    await submit(PLANNED);
    const virtual = { id: 'v', type: 'virtual', schedulingGroup: 'planner' };
    await expect(line.submit('v', { nodes: [virtual] })).rejects.toMatchObject({
      code: 'MR-S195',
    });
  });

  test('that a new version names, or names no more, counts for what waits already', async () => {
    await using line = await Line.open({ slots: 100 });
    await planner(line, 0);
    await ready(line, { nodes: [node('a')] });
    const worker = await line.worker();
    await line.submit('w', { nodes: [node('a', [], PLANNED)] });
    expect(await worker.claim(10)).toEqual([]);
    await line.submit('w', { nodes: [node('a')] });
    expect(await worker.claim(10)).toHaveLength(1);
  });

  test('64 claim loops of three groups that schedule one another never hold more than one of them has', async () => {
    await using line = await Line.open({ slots: 40 });
    const groups = ['default', 'east', 'west'];
    const slots = [5, 3, 4];
    for (const name of groups.slice(1)) await addGroup(line, name, 40);
    for (const [no, name] of groups.entries()) {
      const [group] = await line.database.rows<{ id: number }>(
        `SELECT id FROM resource_group WHERE name = $1`,
        [name],
      );
      await schedulingSlots(line, group?.id ?? 0, slots[no] ?? 0);
    }
    // Each group runs what every group schedules: the circle in which naive locks would wait for each other.
    const nodes = Array.from({ length: 180 }, (_, no) =>
      node(`n${no}`, [], {
        resourceGroup: groups[no % 3],
        schedulingGroup: groups[Math.floor(no / 3) % 3],
      }),
    );
    await ready(line, { nodes });
    await journalGates(line);
    const [before] = await deadlocks(line);
    const workers = await Promise.all(
      Array.from({ length: 64 }, (_, no) => line.worker({ resourceGroup: groups[no % 3] ?? '' })),
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
    expect(await mostThroughGates(line)).toEqual(slots);
    const [after] = await deadlocks(line);
    expect(after?.deadlocks).toBe(before?.deadlocks);
  }, 150_000);
});

describe('what is queued while a version is submitted', () => {
  /** As an instance that was queued in a transaction that the submit did not see. */
  async function queuedAsBefore(line: Line, labels: string): Promise<void> {
    await line.database.run(`UPDATE ready_instance SET labels = $1, gate_id = 0`, [labels]);
  }

  test('goes to no machine that its new version does not ask for, and to one that it does later', async () => {
    await using line = await Line.open();
    await ready(line, { nodes: [node('a')] });
    const plain = await line.worker();
    await line.submit('w', { nodes: [node('a', [], { labels: ['gpu'] })] });
    await queuedAsBefore(line, '');
    expect(await plain.claim(10)).toEqual([]);
    expect(await line.database.transaction((tx) => requeue(tx, 'lately'))).toBe(1);
    const fitting = await line.worker({ labels: ['gpu'] });
    expect(await fitting.claim(10)).toHaveLength(1);
  });

  test('does not wait for a machine that its new version does not ask for any more', async () => {
    await using line = await Line.open();
    await ready(line, { nodes: [node('a', [], { labels: ['gpu'] })] });
    const plain = await line.worker();
    await line.submit('w', { nodes: [node('a')] });
    await queuedAsBefore(line, 'gpu');
    expect(await plain.claim(10)).toEqual([]);
    expect(await line.database.transaction((tx) => requeue(tx, 'lately'))).toBe(1);
    expect(await plain.claim(10)).toHaveLength(1);
    expect(await line.database.transaction((tx) => requeue(tx, 'lately'))).toBe(0);
  });

  test('does not run without the scheduling slot that its new version asks for', async () => {
    await using line = await Line.open();
    await planner(line, 1);
    await ready(line, { nodes: [node('a')] });
    const worker = await line.worker();
    await line.submit('w', { nodes: [node('a', [], PLANNED)] });
    await queuedAsBefore(line, '');
    expect(await worker.claim(10)).toEqual([]);
    await line.database.transaction((tx) => requeue(tx, 'lately'));
    expect(await worker.claim(10)).toHaveLength(1);
    expect(await brokenInvariants(line.database)).toEqual([]);
  });
});

/** Lets the database itself write down each moment at which an attempt goes through a gate or leaves it. */
async function journalGates(line: Line): Promise<void> {
  await line.database.run(
    `CREATE TABLE gate_journal (id bigserial, at timestamptz DEFAULT clock_timestamp(), gate_id bigint, change int)`,
  );
  await line.database.run(
    `CREATE FUNCTION note_gates() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
       IF TG_OP = 'INSERT' THEN
         INSERT INTO gate_journal (gate_id, change) SELECT unnest(NEW.gate_ids), 1;
       ELSE INSERT INTO gate_journal (gate_id, change) SELECT unnest(OLD.gate_ids), -1; END IF;
       RETURN NULL; END $$`,
  );
  await line.database.run(
    `CREATE TRIGGER note_gates AFTER INSERT OR DELETE ON running_attempt
       FOR EACH ROW EXECUTE FUNCTION note_gates()`,
  );
}

async function mostThroughGates(line: Line): Promise<number[]> {
  const rows = await line.database.rows<{ most: number }>(
    `SELECT max(held)::int AS most FROM (
       SELECT gate_id, sum(change) OVER (PARTITION BY gate_id ORDER BY at, id) AS held FROM gate_journal) j
      GROUP BY gate_id ORDER BY gate_id`,
  );
  return rows.map((row) => row.most);
}

async function deadlocks(line: Line): Promise<{ readonly deadlocks: number }[]> {
  return await line.database.rows(
    `SELECT deadlocks::int AS deadlocks FROM pg_stat_database WHERE datname = current_database()`,
  );
}
