import type { InstanceStatus } from '../domain/instance/status.js';
import { isWideRerun, type Operation, type Verdict } from '../domain/instance/operation.js';
import {
  type AskedOperation,
  type Effect,
  EFFECTS,
  previewOperation,
} from '../domain/instance/operation-preview.js';
import type { PluginHost } from '../plugin-host/plugin-host.js';
import type { Database } from '../store/database.js';
import { countChangedCode } from '../store/repositories/code-version-repository.js';
import { appendingAmong } from '../store/sql/appending-instances.sql.js';
import { requireResourceGroup } from '../store/sql/change-instance.sql.js';
import type { InstanceKey } from '../store/sql/instance-row.js';
import { loadNeighbourhood, type NamedInstance } from '../store/sql/load-neighbourhood.sql.js';
import { MAX_REACHED, tooFar } from '../store/sql/rerun-wide.sql.js';

/** How much of what lies downstream is listed. */
const MAX_LISTED = 200;

export interface PreviewOptions extends AskedOperation {
  readonly workspaceId: number;
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
  /** What is operated on or runs again with it, by workflow, the most first. */
  readonly workflows: readonly { readonly workflow: string; readonly instances: number }[];
  /** Ids of those that have run and append: what they wrote stays, and comes a second time. */
  readonly doubling: readonly number[];
  /** How many of those that run again were planned with other code than the latest. */
  readonly changedCode: number;
}

/** What an operation would do, by the rules it follows itself; changes nothing and locks nothing. */
export async function foreseeOperation(
  database: Database,
  plugins: PluginHost,
  now: Date,
  { workspaceId, keys, ...asked }: PreviewOptions,
): Promise<Foreseen> {
  return await database.transaction(async (tx) => {
    await tx.run('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    await requireResourceGroup(tx, asked.change?.resourceGroup);
    const seen = await loadNeighbourhood(tx, workspaceId, keys, MAX_REACHED);
    if (seen.isCut && isWideRerun(asked.operation)) throw tooFar();
    const byId = new Map(seen.instances.map((each) => [each.id, each]));
    const ids = keys.map((key) => key.id);
    const preview = previewOperation(asked, ids, seen, now);
    const affected = [
      ...preview.items.filter(({ verdict }) => verdict.verdict === 'will').map(({ id }) => id),
      ...[...preview.effects].filter(([, effect]) => effect === 'runs again').map(([id]) => id),
    ].flatMap((id) => byId.get(id) ?? []);
    const runsAgain = RERUNS.includes(asked.operation) ? affected : [];
    return {
      items: preview.items.flatMap(({ id, verdict, status, frozen }) => {
        const instance = byId.get(id);
        if (instance === undefined) return [];
        return [{ instance, verdict, statusAfter: status, frozenAfter: frozen }];
      }),
      ...downstreamOf(preview.effects, byId),
      isComplete: !seen.isCut,
      workflows: byWorkflow(affected),
      doubling: await appendingAmong(tx, runsAgain, neverAppending(plugins), asked.code),
      changedCode: await countChangedCode(tx, runsAgain),
    };
  });
}

/** The types of data sources whose writers do nothing twice. */
function neverAppending(plugins: PluginHost): string[] {
  return plugins
    .manifests()
    .flatMap(({ writers }) => writers)
    .filter(({ rerunReplaces }) => rerunReplaces)
    .map(({ type }) => type);
}

const RERUNS: readonly Operation[] = [
  'rerun',
  'rerun-from-here',
  'rerun-downstream',
  'force-rerun',
];

function downstreamOf(
  found: ReadonlyMap<number, Effect>,
  byId: ReadonlyMap<number, NamedInstance>,
): Pick<Foreseen, 'downstream' | 'downstreamTotal' | 'effects'> {
  const downstream = [...found]
    .flatMap(([id, effect]) => {
      const instance = byId.get(id);
      return instance === undefined ? [] : [{ instance, effect }];
    })
    .sort((a, b) => EFFECTS.indexOf(a.effect) - EFFECTS.indexOf(b.effect));
  const effects = Object.fromEntries(EFFECTS.map((effect) => [effect, 0])) as Record<
    Effect,
    number
  >;
  for (const { effect } of downstream) effects[effect]++;
  return {
    downstream: downstream.slice(0, MAX_LISTED),
    downstreamTotal: downstream.length,
    effects,
  };
}

function byWorkflow(instances: readonly NamedInstance[]): Foreseen['workflows'] {
  const counts = new Map<string, number>();
  for (const { workflowName } of instances)
    counts.set(workflowName, (counts.get(workflowName) ?? 0) + 1);
  return [...counts]
    .map(([workflow, count]) => ({ workflow, instances: count }))
    .sort((a, b) => b.instances - a.instances || (a.workflow < b.workflow ? -1 : 1));
}
