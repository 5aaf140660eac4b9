import { expect, test } from '@jest/globals';

import { previewOperation } from '../../src/domain/instance/operation-preview.js';
import { seeded, testSeed } from '../support/seeded.js';
import {
  after,
  type Asked,
  below,
  type Edge,
  effectOn,
  type Instance,
  NOW,
  OPERATIONS,
  settle,
  type World,
} from './outcome-reference.js';

const WORLDS = 10_000;
const LATER = new Date('2026-11-21T18:00:00Z');
const KINDS = ['same_cycle', 'same_cycle', 'previous_cycle', 'self_previous'] as const;
const RERUN_MODES = ['always', 'always', 'always', 'on_failure', 'never'] as const;
const PRIORITY = 5;
const GROUP = 'default';

function pick<T>(list: readonly T[], random: () => number): T {
  return list[Math.floor(random() * list.length)] as T;
}

/** Some instances in states that the line could have led them to. */
function randomWorld(random: () => number): World {
  const instances: Instance[] = [];
  const edges: Edge[] = [];
  const count = 2 + Math.floor(random() * 6);
  for (let id = 0; id < count; id++) {
    const dryRunReason = random() < 0.15 ? 'dry_run' : null;
    instances.push({
      id,
      status: 'waiting_upstream',
      frozen: random() < 0.1,
      dryRun: dryRunReason !== null,
      dryRunReason,
      reason: dryRunReason,
      runAt: random() < 0.2 ? LATER : NOW,
      pending: 0,
      awaited: random() < 0.05 ? 1 : 0,
      slots: random() < 0.2 ? 0 : 1,
      rerunMode: pick(RERUN_MODES, random),
      priority: PRIORITY,
      resourceGroup: GROUP,
    });
    for (let upstream = 0; upstream < id; upstream++) {
      if (random() > 0.4) continue;
      edges.push({
        upstream,
        downstream: id,
        kind: pick(KINDS, random),
        inheritsDryRun: pick([null, null, true, false], random),
        outcome: 'open',
        removed: random() < 0.1,
      });
    }
  }
  const world = { instances, edges };
  for (const instance of instances) {
    settle(world, instance);
    const isReady = instance.status === 'waiting_resource' && !instance.frozen;
    if (isReady && random() < 0.8) {
      instance.status = pick(['running', 'succeeded', 'succeeded', 'failed', 'cancelled'], random);
      // As a branch node that skips its side leaves the first of it.
      if (instance.status === 'succeeded' && random() < 0.3)
        Object.assign(instance, { dryRun: true, reason: 'skipped' });
    }
  }
  return world;
}

function randomOperation({ instances, edges }: World, target: number, random: () => number): Asked {
  const linked = edges.filter(({ downstream, removed }) => downstream === target && !removed);
  // Now and then one that it does not wait for.
  const upstreams =
    linked.length === 0 || random() < 0.1
      ? [Math.floor(random() * instances.length)]
      : linked.filter(() => random() < 0.6).map(({ upstream }) => upstream);
  const change = pick(
    [{ priority: PRIORITY }, { priority: 7 }, { resourceGroup: 'other' }, { resourceGroup: GROUP }],
    random,
  );
  return { operation: pick(OPERATIONS, random), upstreams, change };
}

function byPlace([a]: readonly [number, string], [b]: readonly [number, string]): number {
  return a - b;
}

test(`outcomes of edges after each of the operations are those worked out anew, in ${WORLDS} worlds`, () => {
  const seed = testSeed();
  console.info(`outcomes: MILLRACE_TEST_SEED=${seed}`);
  const random = seeded(seed);
  const done = new Map<string, number>();
  for (let at = 0; at < WORLDS; at++) {
    const world = randomWorld(random);
    const target = Math.floor(random() * world.instances.length);
    const asked = randomOperation(world, target, random);
    const expected = after(world, asked, target);
    const { items, effects } = previewOperation(asked, [target], { ...world, outside: [] }, NOW);
    const where = { seed, at, ...asked };
    const verdict = typeof expected === 'string' ? expected : 'will';
    expect({ ...where, verdict: items[0]?.verdict.verdict }).toEqual({ ...where, verdict });
    if (typeof expected === 'string') continue;
    done.set(asked.operation, (done.get(asked.operation) ?? 0) + 1);
    const now = expected.world.instances;
    const wanted = [...below(world, target)].map((id): [number, string] => {
      const [before, left] = [world.instances[id] as Instance, now[id] as Instance];
      return [id, effectOn(asked.operation, before, left, expected.along.has(id))];
    });
    const { status, frozen } = now[target] as Instance;
    expect({
      ...where,
      effects: [...effects].sort(byPlace),
      status: items[0]?.status,
      frozen: items[0]?.frozen,
    }).toEqual({ ...where, effects: wanted.sort(byPlace), status, frozen });
  }
  expect(OPERATIONS.filter((operation) => (done.get(operation) ?? 0) < 50)).toEqual([]);
});
