import type { Sql } from '../database.js';
import { USED_OF_GATE } from '../sql/gates-of.js';
import { addEventEverywhere } from './event-repository.js';
import { LISTED_WORKERS, WORKER_JSON, type ListedWorker } from './worker-repository.js';

export interface ResourceGroup {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly slots: number;
  readonly slotsUsed: number;
  /** Percent of the slots that backfills may use. */
  readonly backfillShare: number;
  /** Its workers get nothing new; what they have they finish. */
  readonly draining: boolean;
  /** At most so many slots at once by node type. */
  readonly quotas: Readonly<Record<string, number>>;
  /** Instances that could start but for a worker, a slot or a gate. */
  readonly waiting: number;
  /** How long the one waits that has waited longest; null: none does. */
  readonly oldestWaitSeconds: number | null;
  /** What its schedules may hold at once, here or in other groups; null: it schedules nothing. */
  readonly schedulingSlots: number | null;
  readonly schedulingSlotsUsed: number;
  /** Instances that wait for one of its scheduling slots. */
  readonly schedulingWaiting: number;
  readonly region: string;
  readonly networkType: string;
  readonly cidr: string;
  readonly workers: readonly ListedWorker[];
}

export interface ResourceGroupFields {
  readonly description: string;
  readonly slots: number;
  readonly backfillShare: number;
  readonly region: string;
  readonly networkType: string;
  readonly cidr: string;
}

const SELECT = `
  SELECT g.id, g.name, g.description, g.slots, g.backfill_share AS "backfillShare", g.draining, g.region,
         g.network_type AS "networkType", g.cidr,
         (SELECT coalesce(sum(r.slots), 0)::int FROM running_attempt r
           WHERE r.resource_group_id = g.id) AS "slotsUsed",
         (SELECT coalesce(jsonb_object_agg(q.node_type, q.capacity), '{}') FROM gate q
           WHERE q.resource_group_id = g.id AND q.scope = 'node_type') AS quotas,
         scheduling."schedulingSlots",
         coalesce(scheduling."schedulingSlotsUsed", 0) AS "schedulingSlotsUsed",
         coalesce(scheduling."schedulingWaiting", 0) AS "schedulingWaiting",
         queue.waiting, queue."oldestWaitSeconds",
         (SELECT coalesce(jsonb_agg(${WORKER_JSON} ORDER BY w.id), '[]')
            FROM worker w JOIN worker_lease l ON l.worker_id = w.id
           WHERE w.resource_group_id = g.id AND ${LISTED_WORKERS}) AS workers
    FROM resource_group g CROSS JOIN LATERAL (
      SELECT count(*)::int AS waiting,
             CASE WHEN count(*) > 0
                  THEN greatest(0, extract(epoch FROM clock_timestamp() - min(r.ready_at)))::int
             END AS "oldestWaitSeconds"
        FROM ready_instance r WHERE r.resource_group_id = g.id) queue
    LEFT JOIN LATERAL (
      SELECT gate.capacity AS "schedulingSlots", ${USED_OF_GATE} AS "schedulingSlotsUsed",
             (SELECT count(*)::int FROM ready_instance r WHERE r.gate_id = gate.id
                 AND r.resource_group_id IN (SELECT id FROM resource_group)) AS "schedulingWaiting"
        FROM gate WHERE gate.scope = 'scheduling' AND gate.resource_group_id = g.id) scheduling ON true`;

export async function resourceGroups(sql: Sql): Promise<ResourceGroup[]> {
  return await sql.rows<ResourceGroup>(`${SELECT} ORDER BY g.name`);
}

export async function resourceGroupByName(
  sql: Sql,
  name: string,
): Promise<ResourceGroup | undefined> {
  return (await sql.rows<ResourceGroup>(`${SELECT} WHERE g.name = $1`, [name]))[0];
}

export async function resourceGroupById(sql: Sql, id: number): Promise<ResourceGroup | undefined> {
  return (await sql.rows<ResourceGroup>(`${SELECT} WHERE g.id = $1`, [id]))[0];
}

/** The id of the new group, or `undefined`: a group of that name is there already. */
export async function insertResourceGroup(
  tx: Sql,
  group: ResourceGroupFields & { readonly name: string },
): Promise<number | undefined> {
  // Whoever makes a gate locks the groups that are there: this one has to see the gate, or wait for it.
  await tx.run(`LOCK TABLE gate IN SHARE MODE`);
  const [row] = await tx.rows<{ id: number }>(
    `INSERT INTO resource_group (name, description, slots, region, network_type, cidr, backfill_share, gated)
     VALUES ($1, $2, $3, $4, $5, $6, $7, EXISTS (SELECT FROM gate WHERE resource_group_id IS NULL))
     ON CONFLICT (name) DO NOTHING RETURNING id`,
    [
      group.name,
      group.description,
      group.slots,
      group.region,
      group.networkType,
      group.cidr,
      group.backfillShare,
    ],
  );
  return row?.id;
}

/**
 * `false`: there is no such group. From then on no claim knows the old values. Who looks on is told when it
 * begins or ends to drain.
 */
export async function updateResourceGroup(
  tx: Sql,
  id: number,
  change: Partial<ResourceGroupFields & { readonly draining: boolean }>,
): Promise<boolean> {
  const [was] = await tx.rows<{ name: string; draining: boolean }>(
    `SELECT name, draining FROM resource_group WHERE id = $1 FOR NO KEY UPDATE`,
    [id],
  );
  if (was === undefined) return false;
  await tx.run(
    `UPDATE resource_group SET slots = coalesce($2, slots), region = coalesce($3, region),
            network_type = coalesce($4, network_type), cidr = coalesce($5, cidr),
            backfill_share = coalesce($6, backfill_share), description = coalesce($7, description),
            draining = coalesce($8, draining) WHERE id = $1`,
    [
      id,
      change.slots ?? null,
      change.region ?? null,
      change.networkType ?? null,
      change.cidr ?? null,
      change.backfillShare ?? null,
      change.description ?? null,
      change.draining ?? null,
    ],
  );
  // Claims of other groups count its scheduling slots under the lock of their gate.
  await tx.rows(
    `SELECT FROM gate WHERE scope = 'scheduling' AND resource_group_id = $1
                    FOR NO KEY UPDATE`,
    [id],
  );
  const { draining = was.draining } = change;
  if (draining !== was.draining)
    await addEventEverywhere(tx, {
      type: 'resourceGroup.draining',
      payload: { resourceGroup: was.name, draining },
    });
  return true;
}
