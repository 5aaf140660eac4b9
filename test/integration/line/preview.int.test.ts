import { expect, test } from '@jest/globals';

import { registeredCodeOf } from '../../../src/domain/errors.js';
import { isWideRerun, OPERATIONS } from '../../../src/domain/instance/operation.js';
import type { AskedOperation, Effect } from '../../../src/domain/instance/operation-preview.js';
import {
  INSTANCE_STATUSES,
  type InstanceStatus,
  NOT_STARTED_STATUSES,
} from '../../../src/domain/instance/status.js';
import type { InstanceKey } from '../../../src/store/sql/instance-row.js';
import type { Claim } from '../../../src/worker-link/worker-link.js';
import { type FakeWorker, Line, node } from '../../support/line.js';
import { seeded, testSeed } from '../../support/seeded.js';

const GRAPH = [
  node('a', [], { rerunMode: 'never' }),
  node('b', [], { rerunMode: 'on_failure' }),
  node('skip', [], { scheduleType: 'dry_run' }),
  node('c', ['a', 'b'], { retry: { max: 1, intervalMs: 60_000 } }),
  node('d', ['c']),
  node('dry', ['c'], { scheduleType: 'dry_run' }),
  node('e', ['dry', 'd']),
  node('icy', ['dry'], { scheduleType: 'frozen' }),
  node('f', ['skip']),
  node('g', ['f', 'icy', 'e']),
  node('chain', ['b'], { selfDependence: true }),
];

interface Row extends InstanceKey {
  readonly status: InstanceStatus;
  readonly frozen: boolean;
  readonly runNumber: number;
}

test('a preview says what the action then does, for every action and status', async () => {
  const seed = testSeed();
  console.info(`preview: MILLRACE_TEST_SEED=${seed}`);
  await using line = await Line.open();
  const { workflowId } = await line.submit('graph', { nodes: GRAPH });
  const worker = await line.worker();
  const random = seeded(seed);
  let day = 0;
  for (const operation of OPERATIONS) {
    for (const status of INSTANCE_STATUSES) {
      const bizdate = new Date(Date.UTC(2026, 0, 1 + day++)).toISOString().slice(0, 10);
      await line.run(workflowId, bizdate);
      await wander(line, worker, bizdate, random);
      const target = await oneIn(line, bizdate, status, random);
      const keys = [target, ...(await othersOf(line, bizdate, target, random))];
      const upstreams = operation === 'unlink' ? await someUpstreamOf(line, target, random) : [];
      const change = operation === 'change' ? { priority: random() < 0.5 ? 5 : 1 } : {};
      await compare(line, { operation, upstreams, change }, keys);
    }
  }
  expect(day).toBe(120);
  expect(await line.wrongPendings()).toBe(0);
}, 240_000);

test('a preview names what waits again, may start, ends at once and stays blocked', async () => {
  await using line = await Line.open();
  const { workflowId } = await line.submit('graph', {
    nodes: [node('a'), node('b', ['a']), node('dry', ['b'], { scheduleType: 'dry_run' })],
  });
  const worker = await line.worker();
  await line.run(workflowId, '2026-11-20');
  const key = async (name: string): Promise<InstanceKey> => {
    const [row] = await line.instances(`n.name = '${name}'`);
    return { planDay: row?.plan_day ?? '', id: row?.id ?? 0 };
  };
  await line.release();
  const [first] = await worker.claim(1);
  if (first !== undefined) await worker.finish(first);
  expect(await line.statuses()).toMatchObject({ a: 'succeeded', b: 'waiting_resource' });
  expect(await compare(line, { operation: 'rerun' }, [await key('a')])).toEqual([
    'unchanged',
    'waits again',
  ]);
  expect(await compare(line, { operation: 'stop' }, [await key('a')])).toEqual([
    'stays blocked',
    'stays blocked',
  ]);
  expect(await compare(line, { operation: 'set-success' }, [await key('a')])).toEqual([
    'may start',
    'unchanged',
  ]);
  expect(await compare(line, { operation: 'stop' }, [await key('b')])).toEqual(['stays blocked']);
  expect(await compare(line, { operation: 'set-success' }, [await key('b')])).toEqual([
    'ends as a dry run',
  ]);
});

/** Releases, claims and ends at random, as a day does. */
async function wander(
  line: Line,
  worker: FakeWorker,
  bizdate: string,
  random: () => number,
): Promise<void> {
  const held: Claim[] = [];
  if (random() < 0.3) {
    await line.database.run(
      `UPDATE node_instance i SET run_at = $2::timestamptz + interval '1 hour' FROM node n
        WHERE n.id = i.node_id AND i.bizdate = $1 AND n.name = ANY ('{c,dry,f}')`,
      [bizdate, line.clock.now()],
    );
  }
  for (let steps = Math.floor(random() * 9); steps > 0; steps--) {
    await line.release();
    held.push(...(await worker.claim(2)));
    const claim = random() < 0.8 ? held.shift() : undefined;
    if (claim === undefined) continue;
    const chance = random();
    if (chance < 0.3) await worker.finish(claim, { outcome: 'failed' });
    else await worker.finish(claim, chance < 0.4 ? { outcome: 'cancelled' } : {});
  }
}

/** An instance in `status`; put there by force where the day led none. */
async function oneIn(
  line: Line,
  bizdate: string,
  status: InstanceStatus,
  random: () => number,
): Promise<InstanceKey> {
  const rows = await line.database.rows<Row>(
    `SELECT plan_day AS "planDay", id, status FROM node_instance WHERE bizdate = $1 ORDER BY id`,
    [bizdate],
  );
  const there = rows.filter((row) => row.status === status);
  const chosen = pick(there, random) ?? pick(rows, random);
  if (chosen === undefined) throw new Error(`no instance on ${bizdate}`);
  if (there.length === 0)
    await line.database.run(`UPDATE node_instance SET status = $2 WHERE id = $1`, [
      chosen.id,
      status,
    ]);
  return { planDay: chosen.planDay, id: chosen.id };
}

async function othersOf(
  line: Line,
  bizdate: string,
  target: InstanceKey,
  random: () => number,
): Promise<InstanceKey[]> {
  const rows = await line.database.rows<InstanceKey>(
    `SELECT plan_day AS "planDay", id FROM node_instance WHERE bizdate = $1 AND id <> $2 ORDER BY id`,
    [bizdate, target.id],
  );
  return rows.filter(() => random() < 0.2).sort(() => random() - 0.5);
}

async function someUpstreamOf(
  line: Line,
  target: InstanceKey,
  random: () => number,
): Promise<number[]> {
  const edges = await line.database.rows<{ id: number }>(
    `SELECT upstream_id AS id FROM instance_edge WHERE downstream_id = $1 ORDER BY 1`,
    [target.id],
  );
  const chosen = edges.filter(() => random() < 0.7).map(({ id }) => id);
  return chosen.length === 0 ? [edges[0]?.id ?? target.id] : chosen;
}

async function compare(
  line: Line,
  asked: AskedOperation,
  keys: readonly InstanceKey[],
): Promise<Effect[]> {
  const before = await rowsOf(line);
  const preview = await line.commands.previewOperation({
    workspaceId: line.workspaceId,
    ...asked,
    keys,
  });
  expect(await rowsOf(line)).toEqual(before);
  expect(preview.isComplete).toBe(true);
  const done = await operate(line, asked, keys);
  expect(
    preview.items.map(({ instance, verdict, statusAfter, frozenAfter }) =>
      verdict.verdict === 'refused'
        ? { id: instance.id, code: verdict.code, detail: verdict.reason }
        : { id: instance.id, status: statusAfter, frozen: frozenAfter },
    ),
  ).toEqual(done);
  const after = await rowsOf(line);
  const foreseen = new Map(
    preview.downstream.map(({ instance, effect }) => [instance.id, effect] as const),
  );
  const operated = new Set(keys.map((key) => key.id));
  for (const [id, is] of after) {
    if (operated.has(id)) continue;
    const was = before.get(id) ?? is;
    const effect = foreseen.get(id) ?? 'unchanged';
    expect([id, was, is, effect]).toEqual([id, was, is, effectSeen(effect, was, is)]);
  }
  const effects = preview.downstream.map(({ effect }) => effect);
  expect(preview.downstreamTotal).toBe(effects.length);
  return effects.sort();
}

/** What has happened, in the words of the preview. */
function effectSeen(foreseen: Effect, before: Row, after: Row): Effect {
  if (after.runNumber > before.runNumber) return 'runs again';
  const [was, is] = [before.status, after.status];
  const isWaiting = (NOT_STARTED_STATUSES as readonly string[]).includes(is);
  if (was === is) {
    if (foreseen === 'is left out') return isWaiting ? 'unchanged' : foreseen;
    return foreseen === 'stays blocked' && isWaiting ? foreseen : 'unchanged';
  }
  if (is === 'waiting_upstream') return 'waits again';
  return is === 'succeeded' ? 'ends as a dry run' : 'may start';
}

/** All of them in the way the API does it: wide reruns at once, others one by one. */
async function operate(
  line: Line,
  asked: AskedOperation,
  keys: readonly InstanceKey[],
): Promise<object[]> {
  const { operation } = asked;
  if (!isWideRerun(operation)) {
    const done = [];
    for (const key of keys) done.push(await operateOne(line, asked, key));
    return done;
  }
  const { items } = await line.commands.rerunWide({ operation, keys, userId: 0 });
  return keys.map(({ id }) => {
    const found = items.find((item) => item.id === id);
    if (found === undefined) throw new Error(`${id} has no answer`);
    const { verdict, status, frozen } = found;
    return verdict.verdict === 'refused'
      ? { id, code: verdict.code, detail: verdict.reason }
      : { id, status, frozen };
  });
}

async function operateOne(
  line: Line,
  { operation, upstreams = [], change = {} }: AskedOperation,
  key: InstanceKey,
): Promise<object> {
  const command = { ...key, userId: 0 };
  const { commands } = line;
  const wide = (): Promise<never> => Promise.reject(new Error(`${operation} is not for one`));
  const calls = {
    rerun: () => commands.rerunInstance(command),
    'rerun-from-here': wide,
    'rerun-downstream': wide,
    'force-rerun': () => commands.forceInstance(command),
    stop: () => commands.stopInstance(command),
    'set-success': () => commands.setInstanceSuccess(command),
    freeze: () => commands.freezeInstance(command),
    unfreeze: () => commands.unfreezeInstance(command),
    unlink: () =>
      commands.unlinkUpstreams({
        ...command,
        upstreams: upstreams.map((id) => ({ planDay: key.planDay, id })),
      }),
    change: () => commands.changeInstance({ ...command, change }),
  };
  try {
    return { id: key.id, ...(await calls[operation]()) };
  } catch (error) {
    const code = registeredCodeOf(error);
    if (code === undefined || !(error instanceof Error) || !('detail' in error)) throw error;
    return { id: key.id, code, detail: error.detail };
  }
}

async function rowsOf(line: Line): Promise<Map<number, Row>> {
  const rows = await line.database.rows<Row>(
    `SELECT plan_day AS "planDay", id, status, frozen, run_number AS "runNumber"
       FROM node_instance ORDER BY id`,
  );
  return new Map(rows.map((row) => [row.id, row]));
}

function pick<T>(list: readonly T[], random: () => number): T | undefined {
  return list[Math.floor(random() * list.length)];
}
