import { describe, expect, test } from '@jest/globals';

import type { WideRerun } from '../../../src/domain/instance/operation.js';
import { planWorkflow } from '../../../src/scheduler/plan-workflow.js';
import { parseBizdate } from '../../../src/domain/calendar/bizdate.js';
import { downstreamClosure } from '../../../src/store/sql/downstream-closure.sql.js';
import { finishInstances } from '../../../src/store/sql/finish-instances.sql.js';
import { insertPlan } from '../../../src/store/sql/insert-plan.sql.js';
import type { InstanceKey } from '../../../src/store/sql/instance-row.js';
import { rerunWide } from '../../../src/store/sql/rerun-wide.sql.js';
import { unlinkUpstreams } from '../../../src/store/sql/unlink-upstreams.sql.js';
import type { Claim } from '../../../src/worker-link/worker-link.js';
import { type FakeWorker, type InstanceView, Line, node } from '../../support/line.js';
import { isBlocked, parking } from '../../support/parking.js';
import { seeded, testSeed } from '../../support/seeded.js';

const BIZDATE = '2026-11-20';
const CHAIN = { nodes: [node('a'), node('b', ['a']), node('c', ['b'])] };
const TWO_ABOVE = { nodes: [node('a'), node('b'), node('c', ['a', 'b'])] };

const FAILED = { outcome: 'failed', errorCode: 'MR-D204' } as const;
const failing =
  (...names: readonly string[]) =>
  (claim: Claim): object =>
    names.includes(claim.nodeName) ? FAILED : {};

async function started(draft: object): Promise<{ line: Line; worker: FakeWorker }> {
  const line = await Line.open();
  const { workflowId } = await line.submit('w', draft);
  await line.run(workflowId, BIZDATE);
  return { line, worker: await line.worker() };
}

async function seen(line: Line, name: string): Promise<InstanceView> {
  const [found] = await line.instances(`n.name = '${name}'`);
  if (found === undefined) throw new Error(`${name} is missing`);
  return found;
}

async function keyOf(line: Line, name: string): Promise<InstanceKey> {
  const { plan_day: planDay, id } = await seen(line, name);
  return { planDay, id };
}

async function wide(line: Line, operation: WideRerun, ...names: readonly string[]) {
  const keys = [];
  for (const name of names) keys.push(await keyOf(line, name));
  return await line.commands.rerunWide({ operation, keys, userId: 1 });
}

async function claimOne(line: Line, worker: FakeWorker, name: string): Promise<Claim> {
  await line.release();
  const claim = (await worker.claim(100)).find((each) => each.nodeName === name);
  if (claim === undefined) throw new Error(`${name} was not claimed`);
  return claim;
}

describe('a rerun with downstream', () => {
  test('runs all of it again, and nothing before what is upstream of it', async () => {
    const { line, worker } = await started({
      nodes: [node('a'), node('b', ['a']), node('c', ['a']), node('d', ['b', 'c'])],
    });
    await using _ = line;
    await line.drain(worker);
    expect(await wide(line, 'rerun-downstream', 'a')).toMatchObject({
      items: [{ verdict: { verdict: 'will' }, status: 'waiting_resource' }],
      along: 3,
    });
    expect(await line.statuses()).toEqual({
      a: 'waiting_resource',
      b: 'waiting_upstream',
      c: 'waiting_upstream',
      d: 'waiting_upstream',
    });
    expect(await line.wrongPendings()).toBe(0);
    const order = await line.drain(worker);
    expect([order[0], order[3], order.length]).toEqual(['a', 'd', 4]);
    expect((await line.instances()).map((each) => each.run_number)).toEqual([2, 2, 2, 2]);
  });

  test('from here leaves alone what has succeeded, also between two that have not', async () => {
    const { line, worker } = await started({
      nodes: [node('a'), node('b', ['a']), node('good', ['a']), node('bad', ['good'])],
    });
    await using _ = line;
    await line.drain(worker, failing('b', 'bad'));
    expect(await wide(line, 'rerun-from-here', 'a')).toMatchObject({ along: 2 });
    expect(await line.statuses()).toMatchObject({
      a: 'waiting_resource',
      b: 'waiting_upstream',
      good: 'succeeded',
      bad: 'waiting_resource',
    });
    expect(await line.wrongPendings()).toBe(0);
    await line.drain(worker);
    expect(new Set(Object.values(await line.statuses()))).toEqual(new Set(['succeeded']));
    expect((await seen(line, 'good')).run_number).toBe(1);
  });

  test('leaves out what a worker holds and what its rerun mode bars', async () => {
    const { line, worker } = await started({
      nodes: [
        node('a'),
        node('once', ['a'], { rerunMode: 'never' }),
        node('onFailure', ['a'], { rerunMode: 'on_failure' }),
        node('held', ['a']),
      ],
    });
    await using _ = line;
    await worker.finish(await claimOne(line, worker, 'a'));
    for (const claim of await worker.claim(100))
      if (claim.nodeName !== 'held') await worker.finish(claim);
    expect(await wide(line, 'rerun-downstream', 'a')).toMatchObject({ along: 0 });
    expect(await line.statuses()).toEqual({
      a: 'waiting_resource',
      once: 'succeeded',
      onFailure: 'succeeded',
      held: 'dispatched',
    });
  });

  test('refuses those that are named and wait, and reruns the others', async () => {
    const { line, worker } = await started(CHAIN);
    await using _ = line;
    await line.drain(worker, failing('b'));
    const { items, along } = await wide(line, 'rerun-downstream', 'c', 'a');
    expect(items.map(({ verdict }) => verdict.verdict).sort()).toEqual(['refused', 'will']);
    expect(along).toBe(1);
    expect(await line.drain(worker)).toEqual(['a', 'b', 'c']);
  });

  test('reaches the next day over a dependence on itself', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', {
      nodes: [node('a', [], { selfDependence: true })],
    });
    await line.commands.createBackfill({
      workspaceId: line.workspaceId,
      userId: null,
      workflowId,
      name: 'two days',
      ranges: [{ from: '2026-11-18', to: '2026-11-19' }],
      parallelism: 2,
      order: 'asc',
    });
    const worker = await line.worker();
    expect(await line.drain(worker)).toEqual(['a', 'a']);
    expect(await wide(line, 'rerun-downstream', 'a')).toMatchObject({ along: 1 });
    expect((await line.instances()).map(({ status }) => status)).toEqual([
      'waiting_resource',
      'waiting_upstream',
    ]);
  });

  test('finds what lies downstream once, and no more than it is allowed to', async () => {
    const { line } = await started({
      nodes: [node('a'), node('b', ['a']), node('c', ['a']), node('d', ['b', 'c']), node('x')],
    });
    await using _ = line;
    const root = [await keyOf(line, 'a')];
    const all = await line.instances(`n.name <> 'x'`);
    const found = await downstreamClosure(line.database, root, 100);
    expect(found.map(({ id }) => id).sort()).toEqual(all.map(({ id }) => id).sort());
    expect(await downstreamClosure(line.database, root, 3)).toHaveLength(3);
  });

  test('and the end of an upstream do not lose each other, whoever is first', async () => {
    for (const isFinishFirst of [true, false]) {
      const { line, worker } = await started(CHAIN);
      await using _ = line;
      const claim = await claimOne(line, worker, 'a');
      await line.commands.stopInstance({ ...(await keyOf(line, 'b')), userId: 1 });
      const stop = parking();
      const finish = (between?: () => Promise<void>) =>
        line.database.transaction((tx) =>
          finishInstances(
            tx,
            [{ ...claim, outcome: 'succeeded', result: {} }],
            line.clock.now(),
            between,
          ),
        );
      const keys = [await keyOf(line, 'b')];
      const rerun = (after?: () => Promise<void>) =>
        line.database.transaction(async (tx) => {
          await rerunWide(tx, 'rerun-downstream', keys, line.clock.now());
          await after?.();
        });
      const first = isFinishFirst ? finish(stop.park) : rerun(stop.park);
      await stop.reached;
      const second = isFinishFirst ? rerun() : finish();
      await isBlocked(line);
      stop.leave();
      await Promise.all([first, second]);
      expect(await line.wrongPendings()).toBe(0);
      expect(await line.drain(worker)).toEqual(['b', 'c']);
    }
  });
});

describe('a forced rerun', () => {
  test('runs past a failed upstream, which counts again in the next rerun', async () => {
    const { line, worker } = await started(TWO_ABOVE);
    await using _ = line;
    await line.drain(worker, failing('b'));
    expect(await line.commands.forceInstance({ ...(await keyOf(line, 'c')), userId: 1 })).toEqual({
      status: 'waiting_resource',
      frozen: false,
    });
    expect(await line.wrongPendings()).toBe(0);
    expect(await line.drain(worker)).toEqual(['c']);
    await line.commands.rerunInstance({ ...(await keyOf(line, 'c')), userId: 1 });
    expect(await seen(line, 'c')).toMatchObject({ status: 'waiting_upstream', pending: 1 });
    expect(await line.wrongPendings()).toBe(0);
    await line.commands.setInstanceSuccess({ ...(await keyOf(line, 'b')), userId: 1 });
    expect(await line.drain(worker)).toEqual(['c']);
  });

  test('runs although the rerun mode is never, and is refused for what runs or is frozen', async () => {
    const { line, worker } = await started({
      nodes: [node('a', [], { rerunMode: 'never' }), node('b', ['a'])],
    });
    await using _ = line;
    const force = async (name: string) =>
      await line.commands.forceInstance({ ...(await keyOf(line, name)), userId: 1 });
    const claim = await claimOne(line, worker, 'a');
    await expect(force('a')).rejects.toMatchObject({ code: 'MR-S205' });
    await line.commands.freezeInstance({ ...(await keyOf(line, 'b')), userId: 1 });
    await expect(force('b')).rejects.toMatchObject({ code: 'MR-S205' });
    await worker.finish(claim);
    expect(await force('a')).toMatchObject({ status: 'waiting_resource' });
    expect(await line.drain(worker)).toEqual(['a']);
  });

  test('really runs what was skipped because all its upstreams were', async () => {
    const { line, worker } = await started(CHAIN);
    await using _ = line;
    await line.drain(worker);
    await line.database.run(
      `UPDATE node_instance SET reason = 'skipped', dry_run = true WHERE id <> $1`,
      [(await seen(line, 'a')).id],
    );
    const c = { ...(await keyOf(line, 'c')), userId: 1 };
    await line.commands.rerunInstance(c);
    expect(await seen(line, 'c')).toMatchObject({ status: 'succeeded', reason: 'skipped' });
    await line.commands.forceInstance(c);
    expect(await line.drain(worker)).toEqual(['c']);
  });
});

describe('removing an upstream', () => {
  const unlink = async (line: Line, name: string, ...upstreams: readonly string[]) => {
    const keys = [];
    for (const upstream of upstreams) keys.push(await keyOf(line, upstream));
    return await line.commands.unlinkUpstreams({
      ...(await keyOf(line, name)),
      userId: 1,
      upstreams: keys,
    });
  };

  test('lets the instance go when it was the last, and for good', async () => {
    const { line, worker } = await started(TWO_ABOVE);
    await using _ = line;
    await line.drain(worker, failing('b'));
    expect(await unlink(line, 'c', 'b')).toMatchObject({ status: 'waiting_resource' });
    expect(await line.wrongPendings()).toBe(0);
    expect(await line.drain(worker)).toEqual(['c']);
    await line.commands.rerunInstance({ ...(await keyOf(line, 'c')), userId: 1 });
    expect(await line.drain(worker)).toEqual(['c']);
    await line.commands.rerunInstance({ ...(await keyOf(line, 'b')), userId: 1 });
    expect(await line.drain(worker)).toEqual(['b']);
    expect(await line.wrongPendings()).toBe(0);
  });

  test('keeps it waiting for the others', async () => {
    const { line, worker } = await started(TWO_ABOVE);
    await using _ = line;
    expect(await unlink(line, 'c', 'b')).toMatchObject({ status: 'waiting_upstream' });
    await worker.finish(await claimOne(line, worker, 'a'));
    expect((await line.statuses())['c']).toBe('waiting_resource');
    expect(await line.wrongPendings()).toBe(0);
  });

  test('is refused for what is no upstream, twice, and after the start', async () => {
    const { line, worker } = await started(CHAIN);
    await using _ = line;
    await expect(unlink(line, 'c', 'a')).rejects.toMatchObject({ code: 'MR-S140' });
    await expect(unlink(line, 'c', 'b', 'a')).rejects.toMatchObject({ code: 'MR-S140' });
    expect(await seen(line, 'c')).toMatchObject({ status: 'waiting_upstream', pending: 1 });
    await unlink(line, 'c', 'b');
    await expect(unlink(line, 'c', 'b')).rejects.toMatchObject({ code: 'MR-S140' });
    await line.drain(worker);
    await expect(unlink(line, 'b', 'a')).rejects.toMatchObject({ code: 'MR-S205' });
  });

  test('and the end of that upstream release it once, whoever is first', async () => {
    for (const isFinishFirst of [true, false]) {
      const { line, worker } = await started({ nodes: [node('a'), node('b', ['a'])] });
      await using _ = line;
      const claim = await claimOne(line, worker, 'a');
      const [a, b] = [await keyOf(line, 'a'), await keyOf(line, 'b')];
      const stop = parking();
      if (isFinishFirst) {
        // Between its two statements the finish holds the upstream, not the child.
        const finishing = line.database.transaction((tx) =>
          finishInstances(
            tx,
            [{ ...claim, outcome: 'succeeded', result: {} }],
            line.clock.now(),
            stop.park,
          ),
        );
        await stop.reached;
        await unlink(line, 'b', 'a');
        stop.leave();
        await finishing;
      } else {
        const unlinking = line.database.transaction(async (tx) => {
          await unlinkUpstreams(tx, b, [a], line.clock.now());
          await stop.park();
        });
        await stop.reached;
        const finishing = worker.finish(claim);
        await isBlocked(line);
        stop.leave();
        await Promise.all([unlinking, finishing]);
      }
      expect(await line.wrongPendings()).toBe(0);
      expect(await line.drain(worker)).toEqual(['b']);
    }
  });
});

describe('changing an instance that waits', () => {
  async function change(line: Line, name: string, change: object): Promise<object> {
    return await line.commands.changeInstance({ ...(await keyOf(line, name)), userId: 1, change });
  }

  test('moves it in the queue, with the age it has', async () => {
    const { line, worker } = await started({ nodes: [node('old'), node('urgent')] });
    await using _ = line;
    await line.release();
    const rank = async (name: string): Promise<number> => {
      const [row] = await line.database.rows<{ rank: number }>(
        `SELECT rank FROM ready_instance WHERE instance_id = $1`,
        [(await seen(line, name)).id],
      );
      return row?.rank ?? 0;
    };
    const before = await rank('urgent');
    line.clock.advance(60_000);
    await change(line, 'urgent', { priority: 8 });
    expect(before - (await rank('urgent'))).toBe(7 * 600_000);
    expect((await worker.claim(1))[0]?.nodeName).toBe('urgent');
  });

  test('gives it to the workers of another group, before and after it is ready', async () => {
    const { line, worker } = await started({ nodes: [node('a'), node('b', ['a'])] });
    await using _ = line;
    await line.database.run(`INSERT INTO resource_group (name, slots) VALUES ('night', 2)`);
    const night = await line.worker({ name: 'owl', resourceGroup: 'night' });
    await line.release();
    for (const name of ['a', 'b']) await change(line, name, { resourceGroup: 'night' });
    expect(await worker.claim(10)).toHaveLength(0);
    expect(await line.drain(night)).toEqual(['a', 'b']);
  });

  test('is refused for an unknown group and for what has ended', async () => {
    const { line, worker } = await started({ nodes: [node('a')] });
    await using _ = line;
    await expect(change(line, 'a', { resourceGroup: 'nihgt' })).rejects.toMatchObject({
      code: 'MR-S142',
    });
    await line.drain(worker);
    await expect(change(line, 'a', { priority: 5 })).rejects.toMatchObject({ code: 'MR-S205' });
  });

  test('never lets a worker of the old group have it, also not from a queue read before', async () => {
    const { line, worker } = await started({ nodes: [node('a')] });
    await using _ = line;
    await line.release();
    // As a claim sees it that read the queue before the change was committed.
    await line.database.run(`INSERT INTO resource_group (name, slots) VALUES ('night', 2)`);
    await line.database.run(
      `UPDATE node_instance SET resource_group_id = (SELECT id FROM resource_group WHERE name = 'night')`,
    );
    expect(await worker.claim(10)).toHaveLength(0);
  });
});

describe('freezing a node', () => {
  test('freezes what is planned from then on, and what is there only when asked', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', CHAIN);
    await line.run(workflowId, '2026-11-18');
    const freeze = (frozen: boolean, withInstances: boolean) =>
      line.commands.setNodeFrozen({ workflowId, node: 'a', frozen, withInstances });
    expect(await freeze(true, false)).toEqual({ instances: [], scheduleType: 'normal' });
    await line.run(workflowId, '2026-11-19');
    const frozen = async (): Promise<string[]> =>
      (await line.instances('i.frozen')).map(({ node: name, bizdate }) => `${name} ${bizdate}`);
    expect(await frozen()).toEqual(['a 2026-11-19']);
    expect(await freeze(true, true)).toMatchObject({ instances: { length: 1 } });
    expect(await frozen()).toEqual(['a 2026-11-18', 'a 2026-11-19']);
    const worker = await line.worker();
    expect(await line.drain(worker)).toEqual([]);
    expect(await freeze(false, true)).toMatchObject({ instances: { length: 2 } });
    await line.run(workflowId, BIZDATE);
    expect(await frozen()).toEqual([]);
    expect(await line.drain(worker)).toHaveLength(9);
  });

  test('lets its instances that have ended or run alone', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', { nodes: [node('a')] });
    const worker = await line.worker();
    await line.run(workflowId, '2026-11-18');
    await line.drain(worker);
    await line.run(workflowId, '2026-11-19');
    await claimOne(line, worker, 'a');
    const order = { workflowId, node: 'a', frozen: true, withInstances: true };
    expect(await line.commands.setNodeFrozen(order)).toMatchObject({ instances: [] });
    await expect(line.commands.setNodeFrozen({ ...order, node: 'nobody' })).rejects.toMatchObject({
      code: 'MR-A104',
    });
  });

  test('does not miss what is being planned at that moment', async () => {
    await using line = await Line.open();
    const { workflowId } = await line.submit('w', CHAIN);
    const worker = await line.worker();
    await line.run(workflowId, '2026-11-18');
    const [group] = await line.database.rows<{ id: number; plan_day: string; version_id: number }>(
      `SELECT run_group_id AS id, plan_day::text, version_id FROM node_instance LIMIT 1`,
    );
    if (group === undefined) throw new Error('nothing was planned');
    const stop = parking();
    const planning = line.database.transaction(async (tx) => {
      const plan = await planWorkflow(tx, {
        workspaceId: line.workspaceId,
        workflowId,
        versionId: group.version_id,
        timezone: 'Asia/Shanghai',
        runGroupId: group.id,
        planDay: group.plan_day,
        bizdate: parseBizdate('2026-11-19'),
        runAt: line.clock.now(),
      });
      await insertPlan(tx, plan, line.clock.now());
      await stop.park();
    });
    await stop.reached;
    const order = { workflowId, node: 'a', frozen: true, withInstances: true };
    const freezing = line.commands.setNodeFrozen(order);
    await isBlocked(line);
    stop.leave();
    await planning;
    expect(await freezing).toMatchObject({ instances: { length: 2 } });
    expect(await line.drain(worker)).toEqual([]);
  });
});

describe('retries', () => {
  test('wait longer each time, up to the cap', async () => {
    const backoff = { factor: 3, capMs: 240_000 };
    const { line, worker } = await started({
      nodes: [node('a', [], { retry: { max: 4, intervalMs: 60_000, backoff } })],
    });
    await using _ = line;
    const waits = [];
    for (;;) {
      await worker.finish(await claimOne(line, worker, 'a'), { outcome: 'failed' });
      const [due] = await line.database.rows<{ due_at: Date }>(`SELECT due_at FROM due_instance`);
      if (due === undefined) break;
      waits.push(due.due_at.getTime() - line.clock.now().getTime());
      line.clock.set(due.due_at.toISOString());
    }
    expect(waits).toEqual([60_000, 180_000, 240_000, 240_000]);
    expect(await line.statuses()).toEqual({ a: 'failed' });
  });

  test('are not for a node that may never be rerun', async () => {
    const retry = { max: 3, intervalMs: 60_000 };
    const { line, worker } = await started({
      nodes: [node('a', [], { retry, rerunMode: 'never' }), node('b', [], { retry })],
    });
    await using _ = line;
    for (const claim of (await line.release(), await worker.claim(10)))
      await worker.finish(claim, { outcome: 'failed' });
    expect(await line.statuses()).toEqual({ a: 'failed', b: 'retry_wait' });
  });
});

describe('why', () => {
  test('names the failed instance at the root of the chain, whatever lies between', async () => {
    const { line, worker } = await started({
      nodes: [...CHAIN.nodes, node('d', ['c']), node('icy'), node('e', ['d', 'icy'])],
    });
    await using _ = line;
    await line.commands.freezeInstance({ ...(await keyOf(line, 'icy')), userId: 1 });
    await line.drain(worker, failing('a'));
    const { reasons } = await line.commands.explainInstance(await keyOf(line, 'e'));
    const named = reasons.map(({ gate, text }) => `${gate}: ${text}`);
    expect(named).toEqual([
      'upstream: Upstream "d" is waiting_upstream.',
      'upstream: Upstream "icy" is waiting_resource and frozen: unfreeze it.',
      `upstream: Further up, "a" of workflow "w" on ${BIZDATE} has failed: rerun it or set it to success.`,
    ]);
    const a = await seen(line, 'a');
    expect(reasons[2]?.refs).toEqual([`inst_${a.plan_day.replaceAll('-', '')}_${a.id}`]);
  });

  test('says of what is to be tried again when that is, and no more once it has been', async () => {
    const retry = { max: 1, intervalMs: 120_000 };
    const { line, worker } = await started({ nodes: [node('a', [], { retry })] });
    await using _ = line;
    await line.drain(worker, () => ({ outcome: 'failed' }));
    expect(await line.statuses()).toEqual({ a: 'retry_wait' });
    const key = await keyOf(line, 'a');
    const due = new Date(line.clock.now().getTime() + retry.intervalMs).toISOString();
    expect((await line.commands.explainInstance(key)).reasons).toEqual([
      { gate: 'time', text: `Attempt 1 failed; it is tried again at ${due}.`, refs: [] },
    ]);
    line.clock.advance(retry.intervalMs);
    await line.drain(worker);
    const { reasons } = await line.commands.explainInstance(key);
    expect(JSON.stringify(reasons)).not.toContain('tried again');
  });
});

test('operations at random beside a running line leave nothing stuck', async () => {
  const seed = testSeed();
  console.info(`surgery: MILLRACE_TEST_SEED=${seed}`);
  const random = seeded(seed);
  const { line, worker } = await started({
    nodes: Array.from({ length: 24 }, (_, no) =>
      node(
        `n${no}`,
        [no - 1, no - 5, no - 7].filter((at) => at >= 0 && no % 6 > 0).map((at) => `n${at}`),
      ),
    ),
  });
  await using _ = line;
  const all = await line.instances();
  let ends = false;
  const running = (async () => {
    while (!ends) {
      await line.release();
      for (const claim of await worker.claim(3))
        await worker.finish(claim, random() < 0.2 ? FAILED : {});
    }
  })();
  const operating = Array.from({ length: 3 }, async () => {
    for (let no = 0; no < 40; no++) await operateAtRandom(line, all, random);
  });
  await Promise.all(operating);
  ends = true;
  await running;
  await line.drain(worker);
  expect(await line.wrongPendings()).toBe(0);
  const stuck = await line.database.rows<{ id: number; status: string }>(
    `SELECT i.id, i.status FROM node_instance i
      WHERE i.status NOT IN ('succeeded', 'failed', 'cancelled')
        AND NOT (i.status = 'waiting_upstream' AND i.pending > 0 AND EXISTS (
          SELECT FROM instance_edge e JOIN node_instance u ON u.id = e.upstream_id
           WHERE e.downstream_id = i.id AND NOT e.removed AND u.status <> 'succeeded'))`,
  );
  expect(stuck).toEqual([]);
}, 120_000);

async function operateAtRandom(
  line: Line,
  all: readonly InstanceView[],
  random: () => number,
): Promise<void> {
  const pick = (): InstanceKey => {
    const chosen = all[Math.floor(random() * all.length)];
    if (chosen === undefined) throw new Error('there is no instance');
    return { planDay: chosen.plan_day, id: chosen.id };
  };
  const command = { ...pick(), userId: 1 };
  const { commands } = line;
  const operations = [
    () => commands.rerunInstance(command),
    () => commands.rerunWide({ operation: 'rerun-downstream', keys: [command, pick()], userId: 1 }),
    () => commands.rerunWide({ operation: 'rerun-from-here', keys: [command], userId: 1 }),
    () => commands.forceInstance(command),
    () => commands.setInstanceSuccess(command),
    () => commands.stopInstance(command),
    () =>
      commands.changeInstance({ ...command, change: { priority: 1 + Math.floor(random() * 8) } }),
    () => commands.unlinkUpstreams({ ...command, upstreams: [pick()] }),
  ];
  const chosen = operations[Math.floor(random() * operations.length)];
  await chosen?.().catch((error: unknown) => {
    // Refusals are part of it; anything else is a fault of the line.
    if (!/^MR-S(205|140)$/.test(String((error as { code?: unknown }).code))) throw error;
  });
}
