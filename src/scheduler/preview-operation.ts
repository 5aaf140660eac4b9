import type { InstanceStatus } from '../domain/instance/status.js';
import type { Operation, Verdict } from '../domain/instance/operation.js';
import { type Effect, EFFECTS, previewOperation } from '../domain/instance/operation-preview.js';
import type { Database } from '../store/database.js';
import type { InstanceKey } from '../store/sql/instance-row.js';
import { loadNeighbourhood, type NamedInstance } from '../store/sql/load-neighbourhood.sql.js';

/** How far downstream a preview looks, and how much of it is listed. */
const MAX_INSTANCES = 20_000;
const MAX_LISTED = 200;

export interface PreviewOptions {
  readonly workspaceId: number;
  readonly operation: Operation;
  /** In the order in which they would be operated on. */
  readonly keys: readonly InstanceKey[];
}

export interface ForeseenItem {
  readonly instance: NamedInstance;
  readonly verdict: Verdict;
  /** Right after its own operation. */
  readonly statusAfter: InstanceStatus;
  readonly frozenAfter: boolean;
}

export interface Foreseen {
  /** Of those instances that the workspace has. */
  readonly items: readonly ForeseenItem[];
  readonly downstream: readonly { readonly instance: NamedInstance; readonly effect: Effect }[];
  readonly downstreamTotal: number;
  /** False when there is more downstream than a preview looks at. */
  readonly isComplete: boolean;
  readonly effects: Readonly<Record<Effect, number>>;
}

/** What an operation would do, by the rules it follows itself; changes nothing and locks nothing. */
export async function foreseeOperation(
  database: Database,
  now: Date,
  { workspaceId, operation, keys }: PreviewOptions,
): Promise<Foreseen> {
  const seen = await database.transaction(async (tx) => {
    await tx.run('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    return await loadNeighbourhood(tx, workspaceId, keys, MAX_INSTANCES);
  });
  const byId = new Map(seen.instances.map((each) => [each.id, each]));
  const named = <T extends { readonly id: number }>(each: T): [NamedInstance, T][] => {
    const instance = byId.get(each.id);
    return instance === undefined ? [] : [[instance, each]];
  };
  const ids = keys.map((key) => key.id);
  const preview = previewOperation(operation, ids, seen, now);
  const downstream = [...preview.effects]
    .flatMap(([id, effect]) => named({ id, effect }))
    .map(([instance, { effect }]) => ({ instance, effect }))
    .sort((a, b) => EFFECTS.indexOf(a.effect) - EFFECTS.indexOf(b.effect));
  const effects = Object.fromEntries(EFFECTS.map((effect) => [effect, 0])) as Record<
    Effect,
    number
  >;
  for (const { effect } of downstream) effects[effect]++;
  return {
    items: preview.items.flatMap(named).map(([instance, { verdict, status, frozen }]) => ({
      instance,
      verdict,
      statusAfter: status,
      frozenAfter: frozen,
    })),
    downstream: downstream.slice(0, MAX_LISTED),
    downstreamTotal: downstream.length,
    isComplete: !seen.isCut,
    effects,
  };
}
