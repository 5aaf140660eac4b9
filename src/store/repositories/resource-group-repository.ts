import type { Sql } from '../database.js';

export interface LiveWorker {
  readonly name: string;
  readonly startedAt: string;
  readonly capacity: number;
  readonly nodeTypes: readonly string[];
  readonly plugins: unknown;
  /** The addresses it reaches out from, for allow-lists. */
  readonly addresses: readonly string[];
}

export interface ResourceGroup {
  readonly id: number;
  readonly name: string;
  readonly slots: number;
  readonly slotsUsed: number;
  /** Percent of the slots that backfills may use. */
  readonly backfillShare: number;
  readonly region: string;
  readonly networkType: string;
  readonly cidr: string;
  readonly workers: readonly LiveWorker[];
}

export interface ResourceGroupFields {
  readonly slots: number;
  readonly backfillShare: number;
  readonly region: string;
  readonly networkType: string;
  readonly cidr: string;
}

const SELECT = `
  SELECT g.id, g.name, g.slots, g.backfill_share AS "backfillShare", g.region, g.network_type AS "networkType", g.cidr,
         (SELECT coalesce(sum(r.slots), 0)::int FROM running_attempt r
           WHERE r.resource_group_id = g.id) AS "slotsUsed",
         (SELECT coalesce(jsonb_agg(jsonb_build_object('name', w.name, 'startedAt', w.started_at,
                   'capacity', w.capacity, 'nodeTypes', w.node_types, 'plugins', w.plugins,
                   'addresses', w.addresses) ORDER BY w.id), '[]')
            FROM worker w JOIN worker_lease l ON l.worker_id = w.id
           WHERE w.resource_group_id = g.id AND w.ended_at IS NULL
             AND l.lease_until > clock_timestamp()) AS workers
    FROM resource_group g`;

export async function resourceGroups(sql: Sql): Promise<ResourceGroup[]> {
  return await sql.rows<ResourceGroup>(`${SELECT} ORDER BY g.name`);
}

export async function resourceGroupByName(
  sql: Sql,
  name: string,
): Promise<ResourceGroup | undefined> {
  return (await sql.rows<ResourceGroup>(`${SELECT} WHERE g.name = $1`, [name]))[0];
}

/** `false`: a group of that name is there already. */
export async function insertResourceGroup(
  sql: Sql,
  group: ResourceGroupFields & { readonly name: string },
): Promise<boolean> {
  const changed = await sql.run(
    `INSERT INTO resource_group (name, slots, region, network_type, cidr, backfill_share)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO NOTHING`,
    [group.name, group.slots, group.region, group.networkType, group.cidr, group.backfillShare],
  );
  return changed === 1;
}

/** `false`: there is no such group. */
export async function updateResourceGroup(
  sql: Sql,
  id: number,
  change: Partial<ResourceGroupFields>,
): Promise<boolean> {
  const changed = await sql.run(
    `UPDATE resource_group SET slots = coalesce($2, slots), region = coalesce($3, region),
            network_type = coalesce($4, network_type), cidr = coalesce($5, cidr),
            backfill_share = coalesce($6, backfill_share) WHERE id = $1`,
    [
      id,
      change.slots ?? null,
      change.region ?? null,
      change.networkType ?? null,
      change.cidr ?? null,
      change.backfillShare ?? null,
    ],
  );
  return changed === 1;
}
