import type { Bizdate } from '../../domain/calendar/bizdate.js';
import { type Cycle, type CycleSchedule, cyclesOf } from '../../domain/calendar/cycles-of.js';
import type { OutsideNode } from '../edges-of.js';
import { type OutsideCycle, outsideCycles, type OutsideNodes } from '../outside-nodes.js';
import type { VersionScene } from '../plan-workflow.js';
import { plannedSchedule } from '../planned-schedule.js';
import type { BackfillVersion } from './backfill-versions.js';

/** A version of a backfill, with what it says. */
export interface BackfillPart {
  readonly version: BackfillVersion;
  readonly scene: VersionScene;
}

/** A node as another workflow of the backfill sees it. */
interface Sibling {
  readonly nodeId: number;
  readonly selfDependent: boolean;
  readonly version: BackfillVersion;
  readonly schedule: CycleSchedule;
  /** The same for nodes whose cycles are the same. */
  readonly scheduleKey: string;
}

/** For each part the nodes of the other ones that it waits for, of those in scope. */
export function siblingsOf(
  parts: readonly BackfillPart[],
  inScope: ReadonlySet<number>,
): ReadonlyMap<BackfillPart, readonly Sibling[]> {
  const versions = new Map(
    parts.flatMap(({ version, scene }) => scene.nodes.map((node) => [node.node_id, version])),
  );
  const isAwaited = new Set<number>();
  const idsOf = new Map(
    parts.map((part) => {
      const ids = new Set(part.scene.dependencies.map(({ upstream }) => upstream));
      const isSibling = (id: number): boolean =>
        inScope.has(id) && versions.has(id) && versions.get(id) !== part.version;
      const found = [...ids].filter(isSibling);
      for (const id of found) isAwaited.add(id);
      return [part, found];
    }),
  );
  const siblings = new Map(
    parts.flatMap((part) =>
      part.scene.nodes
        .filter((node) => isAwaited.has(node.node_id))
        .map((node) => [node.node_id, siblingOf(part, node)]),
    ),
  );
  return new Map(
    [...idsOf].map(([part, ids]) => [part, ids.flatMap((id) => siblings.get(id) ?? [])]),
  );
}

function siblingOf(
  { version, scene }: BackfillPart,
  node: BackfillPart['scene']['nodes'][number],
): Sibling {
  const { cron, period, dst_policy, effective_from, effective_to, calendar } = node;
  const said = [cron, period, dst_policy, effective_from, effective_to, calendar];
  return {
    nodeId: node.node_id,
    selfDependent: node.self_dependence,
    version,
    schedule: plannedSchedule(node, version.timezone, scene.calendars),
    scheduleKey: JSON.stringify([version.timezone, ...said]),
  };
}

/** Ids of nodes that a part of another zone waits for: on which business date, the instants decide. */
export function awaitedAcrossZones(siblings: ReturnType<typeof siblingsOf>): Set<number> {
  return new Set(
    [...siblings].flatMap(([part, nodes]) =>
      nodes
        .filter(({ version }) => version.timezone !== part.version.timezone)
        .map(({ nodeId }) => nodeId),
    ),
  );
}

/** These nodes by the cycles that their versions give them, whether anything is made of them yet or not. */
export function siblingNodes(siblings: readonly Sibling[]): OutsideNodes {
  const known = new Map<string, readonly Cycle[]>();
  const cyclesOn = ({ schedule, scheduleKey }: Sibling, bizdate: Bizdate): readonly Cycle[] => {
    const key = `${bizdate} ${scheduleKey}`;
    const cycles = known.get(key) ?? cyclesOf(schedule, bizdate);
    known.set(key, cycles);
    return cycles;
  };
  return new Map(
    siblings.map((sibling): [number, OutsideNode<OutsideCycle>] => {
      const { nodeId, selfDependent, version } = sibling;
      const { workflowId, timezone } = version;
      const made = new Map<string, readonly OutsideCycle[]>();
      const find = (bizdate: Bizdate): readonly OutsideCycle[] => {
        const of = { nodeId, workflowId, timezone, bizdate };
        const cycles = outsideCycles(of, cyclesOn(sibling, bizdate));
        made.set(bizdate, cycles);
        return cycles;
      };
      const node = { selfDependent, timezone };
      return [nodeId, { ...node, cyclesOn: (bizdate) => made.get(bizdate) ?? find(bizdate) }];
    }),
  );
}
