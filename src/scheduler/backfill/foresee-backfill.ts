import { estimateBackfill } from '../../domain/backfill/estimate-backfill.js';
import type { BackfillOrder } from '../../domain/backfill/backfill-request.js';
import type { InstanceStatus } from '../../domain/instance/status.js';
import type { Database, Sql } from '../../store/database.js';
import type { LiveTwin } from '../../store/sql/live-twins.sql.js';
import { medianDurations } from '../../store/sql/timeline-durations.sql.js';
import type { BackfillVersions } from './backfill-versions.js';
import type { MissingCycle } from './missing-cycle.js';
import { planBackfill } from './plan-backfill.js';
import { planTokenOf } from './plan-token.js';
import {
  type BackfillCell,
  type BackfillNode,
  type BackfillOrderOptions,
  mayRun,
  type MissingCycles,
  type PlannedBackfill,
  type PreviousChoice,
} from './planned-backfill.js';

const MAX_LISTED = 200;

export interface ForeseenChoice extends PreviousChoice {
  readonly scheduledAt: Date;
  readonly status: InstanceStatus;
  readonly runGroupName: string;
}

export interface BackfillForeseen {
  /** The workflow that was asked for first. */
  readonly versions: BackfillVersions;
  /** What was asked for, unless a node depends on its previous cycle. */
  readonly order: BackfillOrder;
  readonly nodes: readonly BackfillNode[];
  /** In the order in which they are opened; cells by the places of the nodes. */
  readonly dates: readonly { readonly bizdate: string; readonly cells: readonly BackfillCell[] }[];
  readonly totals: PlannedBackfill['totals'];
  /** At most 200; `totals` has the number. */
  readonly conflicts: readonly (LiveTwin & { readonly node: string })[];
  readonly choices: readonly ForeseenChoice[];
  /** At least, in ms; `null`: none of the nodes has succeeded yet. */
  readonly estimateMs: number | null;
  /** Nodes that have not succeeded yet; the estimate takes them for average. */
  readonly unknownNodes: number;
  /** At most 200 cycles; `counts` has the numbers. `null`: something else was asked for. */
  readonly missing:
    | (Omit<MissingCycles, 'cycles'> & {
        readonly cycles: readonly (MissingCycle & { readonly node: string })[];
      })
    | null;
  readonly planToken: string;
}

/** What a backfill would do; changes nothing and locks nothing. */
export async function foreseeBackfill(
  database: Database,
  now: Date,
  options: BackfillOrderOptions,
): Promise<BackfillForeseen> {
  return await database.transaction(async (tx) => {
    await tx.run('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    const planDay = now.toISOString().slice(0, 10);
    const planned = await planBackfill(tx, now, planDay, options, true);
    const names = new Map(planned.nodes.map((node) => [node.id, node.name]));
    return {
      versions: planned.versions,
      order: planned.order,
      nodes: planned.nodes,
      dates: planned.dates.map(({ bizdate, cells }) => ({ bizdate, cells })),
      totals: planned.totals,
      conflicts: planned.conflicts
        .slice(0, MAX_LISTED)
        .map((twin) => ({ ...twin, node: names.get(twin.nodeId) ?? '' })),
      choices: await describedChoices(tx, planned.choices),
      ...(await estimateOf(tx, planned, options.parallelism ?? 1)),
      missing: planned.missing && {
        ...planned.missing,
        cycles: planned.missing.cycles
          .slice(0, MAX_LISTED)
          .map((cycle) => ({ ...cycle, node: names.get(cycle.nodeId) ?? '' })),
      },
      planToken: planTokenOf(options, planned),
    };
  });
}

async function describedChoices(
  tx: Sql,
  choices: readonly PreviousChoice[],
): Promise<ForeseenChoice[]> {
  if (choices.length === 0) return [];
  const rows = await tx.rows<Omit<ForeseenChoice, keyof PreviousChoice> & { readonly id: number }>(
    `SELECT i.id, i.scheduled_at AS "scheduledAt", i.status, g.name AS "runGroupName"
       FROM node_instance i JOIN run_group g ON g.id = i.run_group_id
      WHERE i.plan_day = ANY($1::date[]) AND i.id = ANY($2::bigint[])`,
    [[...new Set(choices.map((each) => each.planDay))], choices.map((each) => each.id)],
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  return choices.flatMap((choice) => {
    const row = byId.get(choice.id);
    return row === undefined ? [] : [{ ...choice, ...row }];
  });
}

async function estimateOf(
  tx: Sql,
  { dates, nodes }: PlannedBackfill,
  parallelism: number,
): Promise<Pick<BackfillForeseen, 'estimateMs' | 'unknownNodes'>> {
  const asked = nodes.filter(mayRun).map((node) => node.id);
  const medians = await medianDurations(tx, asked);
  const unknownNodes = asked.length - medians.size;
  if (medians.size === 0) return { estimateMs: null, unknownNodes };
  const average = [...medians.values()].reduce((sum, ms) => sum + ms, 0) / medians.size;
  const groups = new Set(
    dates.flatMap(({ plan }) => plan.instances.map((each) => each.resourceGroupId)),
  );
  const [share] = await tx.rows<{ slots: number }>(
    `SELECT coalesce(sum(greatest(1, slots * backfill_share / 100)), 1)::int AS slots
       FROM resource_group WHERE id = ANY($1::bigint[])`,
    [[...groups]],
  );
  const estimated = dates.map(({ plan }) => ({
    edges: plan.edges,
    instances: plan.instances.map(({ nodeId, slots, dryRun }) => ({
      ms: dryRun || slots === 0 ? 0 : (medians.get(nodeId) ?? average),
      slots,
    })),
  }));
  return { estimateMs: estimateBackfill(estimated, parallelism, share?.slots ?? 1), unknownNodes };
}
