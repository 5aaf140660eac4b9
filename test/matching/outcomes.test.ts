import { expect, test } from '@jest/globals';

import {
  type Effect,
  previewOperation,
  type SeenEdge,
  type SeenInstance,
} from '../../src/domain/instance/operation-preview.js';
import { seeded, testSeed } from '../support/seeded.js';

const WORLDS = 10_000;
const NOW = new Date('2026-11-21T12:00:00Z');
const LATER = new Date('2026-11-21T18:00:00Z');
const OPERATIONS = ['rerun', 'set-success', 'stop'] as const;
const KINDS = ['same_cycle', 'same_cycle', 'previous_cycle', 'self_previous'] as const;
const NOT_STARTED = ['waiting_upstream', 'waiting_time', 'waiting_resource'];

type Instance = { -readonly [K in keyof SeenInstance]: SeenInstance[K] };
type Edge = { -readonly [K in keyof SeenEdge]: SeenEdge[K] };

interface World {
  /** In an order in which upstreams come first; the id is the place. */
  readonly instances: Instance[];
  readonly edges: Edge[];
}

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
      rerunMode: 'always',
      priority: 5,
      resourceGroup: 'default',
    });
    for (let upstream = 0; upstream < id; upstream++) {
      if (random() > 0.4) continue;
      const kind = pick(KINDS, random);
      const inheritsDryRun = pick([null, null, true, false], random);
      edges.push({
        upstream,
        downstream: id,
        kind,
        inheritsDryRun,
        outcome: 'open',
        removed: false,
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

/** The state of an instance that has not started, from nothing but the states of its upstreams. */
function settle({ instances, edges }: World, instance: Instance): void {
  const own = edges.filter((edge) => edge.downstream === instance.id);
  for (const edge of own) {
    const upstream = instances[edge.upstream];
    if (upstream === undefined) continue;
    const ended = { succeeded: 'success', failed: 'failed', cancelled: 'failed' } as const;
    const outcome = ended[upstream.status as keyof typeof ended] ?? 'open';
    edge.outcome = outcome === 'success' && upstream.reason === 'skipped' ? 'skipped' : outcome;
  }
  const open = own.filter((edge) => edge.outcome === 'open' || edge.outcome === 'failed');
  instance.pending = open.length + instance.awaited;
  instance.reason = instance.dryRunReason;
  instance.dryRun = instance.dryRunReason !== null;
  if (instance.pending > 0) {
    instance.status = 'waiting_upstream';
    return;
  }
  const asked = own.filter((edge) => edge.kind === 'same_cycle' || edge.inheritsDryRun === true);
  const refuses = asked.some((edge) => edge.outcome !== 'skipped' || edge.inheritsDryRun === false);
  if (asked.length > 0 && !refuses) Object.assign(instance, { dryRun: true, reason: 'skipped' });
  const needsNoWorker = (instance.dryRun || instance.slots === 0) && !instance.frozen;
  if (instance.runAt > NOW) instance.status = 'waiting_time';
  else instance.status = needsNoWorker ? 'succeeded' : 'waiting_resource';
}

/** What the operation leaves, worked out anew from the top; undefined: it is refused. */
function after(world: World, operation: string, target: number): World | undefined {
  const next: World = {
    instances: world.instances.map((each) => ({ ...each })),
    edges: world.edges.map((each) => ({ ...each })),
  };
  const instance = next.instances[target];
  if (instance === undefined) return undefined;
  const isFinal = ['succeeded', 'failed', 'cancelled'].includes(instance.status);
  if (operation === 'stop' ? isFinal : !isFinal) return undefined;
  if (operation === 'set-success') {
    if (instance.status === 'succeeded') return undefined;
    Object.assign(instance, { status: 'succeeded', reason: 'set_success' });
  }
  // A worker that holds it is asked to stop; nothing has changed yet.
  if (operation === 'stop' && instance.status !== 'running') instance.status = 'cancelled';
  if (operation === 'rerun') instance.status = 'waiting_upstream';
  for (const each of next.instances) if (NOT_STARTED.includes(each.status)) settle(next, each);
  return next;
}

function effect(operation: string, before: SeenInstance, now: SeenInstance): Effect {
  if (operation === 'stop') return NOT_STARTED.includes(now.status) ? 'stays blocked' : 'unchanged';
  if (before.status === now.status) return 'unchanged';
  if (now.status === 'waiting_upstream') return 'waits again';
  return now.status === 'succeeded' && now.dryRun ? 'ends as a dry run' : 'may start';
}

function below({ edges }: World, target: number): Set<number> {
  const found = new Set([target]);
  for (const id of found) {
    for (const edge of edges) if (edge.upstream === id) found.add(edge.downstream);
  }
  found.delete(target);
  return found;
}

test(`outcomes of edges after reruns, stops and set successes are those worked out anew, in ${WORLDS} worlds`, () => {
  const seed = testSeed();
  console.info(`outcomes: MILLRACE_TEST_SEED=${seed}`);
  const random = seeded(seed);
  let accepted = 0;
  for (let at = 0; at < WORLDS; at++) {
    const world = randomWorld(random);
    const operation = pick(OPERATIONS, random);
    const target = Math.floor(random() * world.instances.length);
    const expected = after(world, operation, target);
    const preview = previewOperation({ operation }, [target], { ...world, outside: [] }, NOW);
    const isAccepted = preview.items[0]?.verdict.verdict === 'will';
    expect([at, isAccepted]).toEqual([at, expected !== undefined]);
    if (expected === undefined) continue;
    accepted += 1;
    const effects = [...below(world, target)].map((id) => {
      const [before, now] = [world.instances[id], expected.instances[id]];
      if (before === undefined || now === undefined)
        throw new Error('a world without its instance');
      return [id, effect(operation, before, now)];
    });
    const found = [...preview.effects].sort(([a], [b]) => a - b);
    expect([at, operation, found]).toEqual([
      at,
      operation,
      effects.sort(([a], [b]) => Number(a) - Number(b)),
    ]);
    expect(preview.items[0]?.status).toBe(expected.instances[target]?.status);
  }
  expect(accepted).toBeGreaterThan(WORLDS / 5);
});
