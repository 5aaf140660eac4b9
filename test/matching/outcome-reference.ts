import type {
  Effect,
  SeenEdge,
  SeenInstance,
} from '../../src/domain/instance/operation-preview.js';

/**
 * What operations leave, written a second time, the slow way: the states of all that has not started are
 * worked out anew from the top, from nothing but the states of their upstreams. Only types come from src.
 */
export type Instance = { -readonly [K in keyof SeenInstance]: SeenInstance[K] };
export type Edge = { -readonly [K in keyof SeenEdge]: SeenEdge[K] };

export interface World {
  /** In an order in which upstreams come first; the id is the place. */
  readonly instances: Instance[];
  readonly edges: Edge[];
}

export const OPERATIONS = [
  'rerun',
  'rerun-from-here',
  'rerun-downstream',
  'force-rerun',
  'stop',
  'set-success',
  'freeze',
  'unfreeze',
  'unlink',
  'change',
] as const;
type Operation = (typeof OPERATIONS)[number];

export interface Asked {
  readonly operation: Operation;
  readonly upstreams: readonly number[];
  readonly change: { readonly priority?: number; readonly resourceGroup?: string };
}

export const NOW = new Date('2026-11-21T12:00:00Z');
const NOT_STARTED = ['waiting_upstream', 'waiting_time', 'waiting_resource'];
const FINAL = ['succeeded', 'failed', 'cancelled'];

/** The state of an instance that has not started. */
export function settle({ instances, edges }: World, instance: Instance): void {
  const own = edges.filter((edge) => edge.downstream === instance.id);
  for (const edge of own) {
    const upstream = instances[edge.upstream];
    if (upstream === undefined) continue;
    const ended = { succeeded: 'success', failed: 'failed', cancelled: 'failed' } as const;
    const outcome = ended[upstream.status as keyof typeof ended] ?? 'open';
    edge.outcome = outcome === 'success' && upstream.reason === 'skipped' ? 'skipped' : outcome;
  }
  const left = own.filter((edge) => !edge.removed);
  instance.pending = left.filter(isOpen).length + instance.awaited;
  instance.reason = instance.dryRunReason;
  instance.dryRun = instance.dryRunReason !== null;
  if (instance.pending > 0) {
    instance.status = 'waiting_upstream';
    return;
  }
  const asked = left.filter((edge) => edge.kind === 'same_cycle' || edge.inheritsDryRun === true);
  const refuses = asked.some((edge) => edge.outcome !== 'skipped' || edge.inheritsDryRun === false);
  if (asked.length > 0 && !refuses) Object.assign(instance, { dryRun: true, reason: 'skipped' });
  const needsNoWorker = (instance.dryRun || instance.slots === 0) && !instance.frozen;
  if (instance.runAt > NOW) instance.status = 'waiting_time';
  else instance.status = needsNoWorker ? 'succeeded' : 'waiting_resource';
}

/** The world after the operation on `target`, and what is rerun along; or why it is not done. */
export function after(
  world: World,
  { operation, upstreams, change }: Asked,
  target: number,
): { readonly world: World; readonly along: ReadonlySet<number> } | 'nothing' | 'refused' {
  const next: World = {
    instances: world.instances.map((each) => ({ ...each })),
    edges: world.edges.map((each) => ({ ...each })),
  };
  const instance = next.instances[target] as Instance;
  const own = next.edges.filter((edge) => edge.downstream === target);
  const waits = NOT_STARTED.includes(instance.status);
  const isFinal = FINAL.includes(instance.status);
  const along = new Set<number>();
  /** Whose edges have changed in nothing that counts: it goes on as it is. */
  let isLeft = false;
  switch (operation) {
    case 'rerun':
    case 'rerun-from-here':
    case 'rerun-downstream':
      if (!isFinal || isBarred(instance)) return 'refused';
      for (const id of operation === 'rerun' ? [] : below(world, target))
        if (goesAlong(operation, next.instances[id] as Instance)) along.add(id);
      startAgain(next, [target, ...along]);
      break;
    case 'force-rerun':
      if (!isFinal && !waits) return 'refused';
      if (!isFinal && instance.frozen) return 'refused';
      if (!isFinal && instance.status !== 'waiting_upstream') return 'nothing';
      if (isFinal) startAgain(next, [target]);
      settle(next, instance);
      for (const edge of own) if (edge.outcome !== 'success') edge.removed = true;
      instance.awaited = 0;
      instance.status = 'waiting_upstream';
      break;
    case 'set-success':
      if (!isFinal || instance.status === 'succeeded') return 'refused';
      Object.assign(instance, { status: 'succeeded', reason: 'set_success' });
      break;
    case 'stop':
      if (isFinal) return 'refused';
      // A worker that holds it is asked to stop; nothing has changed yet.
      if (waits) instance.status = 'cancelled';
      break;
    case 'freeze':
    case 'unfreeze':
      if (!waits) return 'refused';
      if (instance.frozen === (operation === 'freeze')) return 'nothing';
      instance.frozen = operation === 'freeze';
      break;
    case 'unlink': {
      if (!waits) return 'refused';
      const cut = own.filter((edge) => upstreams.includes(edge.upstream));
      if (upstreams.some((id) => !cut.some((edge) => edge.upstream === id))) return 'refused';
      isLeft = !cut.some((edge) => isOpen(edge) && !edge.removed);
      for (const edge of cut) edge.removed = true;
      break;
    }
    case 'change': {
      if (!waits) return 'refused';
      const { priority = instance.priority, resourceGroup = instance.resourceGroup } = change;
      if (priority === instance.priority && resourceGroup === instance.resourceGroup)
        return 'nothing';
      Object.assign(instance, { priority, resourceGroup });
    }
  }
  for (const each of next.instances)
    if (NOT_STARTED.includes(each.status) && !(isLeft && each === instance)) settle(next, each);
  return { world: next, along };
}

function startAgain(world: World, ids: readonly number[]): void {
  for (const id of ids) {
    Object.assign(world.instances[id] as Instance, { status: 'waiting_upstream' });
    for (const edge of world.edges) if (edge.downstream === id) edge.removed = false;
  }
}

function isBarred({ rerunMode, status }: Instance): boolean {
  return rerunMode === 'never' || (rerunMode === 'on_failure' && status === 'succeeded');
}

function goesAlong(operation: string, instance: Instance): boolean {
  if (operation === 'rerun-from-here' && instance.status === 'succeeded') return false;
  return FINAL.includes(instance.status) && !isBarred(instance);
}

/** What an operation does to an instance below its target. */
export function effectOn(
  operation: string,
  before: SeenInstance,
  now: SeenInstance,
  isAlong: boolean,
): Effect {
  const isWide = operation === 'rerun-from-here' || operation === 'rerun-downstream';
  if (isAlong) return 'runs again';
  if (isWide && !NOT_STARTED.includes(before.status)) {
    const isWanted = operation === 'rerun-downstream' || before.status !== 'succeeded';
    return isWanted ? 'is left out' : 'unchanged';
  }
  if (operation === 'stop') return NOT_STARTED.includes(now.status) ? 'stays blocked' : 'unchanged';
  if (before.status === now.status) return 'unchanged';
  if (now.status === 'waiting_upstream') return 'waits again';
  return now.status === 'succeeded' && now.dryRun ? 'ends as a dry run' : 'may start';
}

/** Everything downstream of it, over edges that were not removed. */
export function below({ edges }: World, target: number): Set<number> {
  const found = new Set([target]);
  for (const id of found) {
    for (const edge of edges) if (edge.upstream === id && !edge.removed) found.add(edge.downstream);
  }
  found.delete(target);
  return found;
}

function isOpen({ outcome }: Edge): boolean {
  return outcome === 'open' || outcome === 'failed';
}
