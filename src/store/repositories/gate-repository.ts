import type { Sql } from '../database.js';
import { laneOf, USED_OF_GATE } from '../sql/gates-of.js';

export const GATE_SCOPES = ['node', 'workflow', 'data_source'] as const;
export type GateScope = (typeof GATE_SCOPES)[number];

/** What a gate stands before, by name; `node` only of a node, `workflow` also of one. */
export interface GateTarget {
  readonly scope: GateScope;
  readonly workflow?: string | undefined;
  readonly node?: string | undefined;
  readonly dataSource?: string | undefined;
}

export interface Gate {
  readonly id: number;
  readonly scope: GateScope;
  readonly workflow: string | null;
  readonly node: string | null;
  readonly dataSource: string | null;
  /** How many instances it lets through at once. */
  readonly capacity: number;
  readonly running: number;
  /** Instances that wait in its lane. */
  readonly waiting: number;
  /** Some of those that have gone through and still run. */
  readonly holders: readonly { readonly planDay: string; readonly id: number }[];
}

const SHOWN = 20;

const SELECT = `
  SELECT gate.id, gate.scope, gate.capacity, w.name AS workflow, n.name AS node, d.name AS "dataSource",
         ${USED_OF_GATE} AS running,
         (SELECT count(*)::int FROM ready_instance r WHERE r.gate_id = gate.id
             AND r.resource_group_id IN (SELECT id FROM resource_group)) AS waiting,
         (SELECT coalesce(jsonb_agg(jsonb_build_object('planDay', h.plan_day, 'id', h.instance_id)), '[]')
            FROM (SELECT plan_day, instance_id FROM running_attempt
                   WHERE gate_ids <> '{}' AND gate_ids @> ARRAY[gate.id]
                   ORDER BY claimed_at, instance_id LIMIT ${SHOWN}) h) AS holders
    FROM gate
    LEFT JOIN node n ON n.id = gate.node_id
    LEFT JOIN workflow w ON w.id = coalesce(gate.workflow_id, n.workflow_id)
    LEFT JOIN data_source d ON d.id = gate.data_source_id`;

export async function gatesOfWorkspace(sql: Sql, workspaceId: number): Promise<Gate[]> {
  return await sql.rows<Gate>(`${SELECT} WHERE gate.workspace_id = $1 ORDER BY gate.id`, [
    workspaceId,
  ]);
}

export async function gateById(
  sql: Sql,
  workspaceId: number,
  id: number,
): Promise<Gate | undefined> {
  const rows = await sql.rows<Gate>(`${SELECT} WHERE gate.workspace_id = $1 AND gate.id = $2`, [
    workspaceId,
    id,
  ]);
  return rows[0];
}

/** The row id of what a gate would stand before; `undefined`: it is not there. */
export async function findGateTarget(
  sql: Sql,
  workspaceId: number,
  target: GateTarget,
): Promise<number | undefined> {
  const text = {
    node: `SELECT n.id FROM node n JOIN workflow w ON w.id = n.workflow_id
            WHERE w.workspace_id = $1 AND w.name = $2 AND n.name = $3`,
    workflow: `SELECT id FROM workflow WHERE workspace_id = $1 AND name = $2`,
    data_source: `SELECT id FROM data_source
                   WHERE workspace_id = $1 AND name = $2 AND environment = 'production'`,
  }[target.scope];
  const values = {
    node: [target.workflow, target.node],
    workflow: [target.workflow],
    data_source: [target.dataSource],
  }[target.scope];
  return (await sql.rows<{ id: number }>(text, [workspaceId, ...values]))[0]?.id;
}

const COLUMN = { node: 'node_id', workflow: 'workflow_id', data_source: 'data_source_id' } as const;

/** The id of the new gate, or `undefined`: there is one before this target already. */
export async function insertGate(
  tx: Sql,
  gate: {
    readonly workspaceId: number;
    readonly scope: GateScope;
    readonly targetId: number;
    readonly capacity: number;
  },
): Promise<number | undefined> {
  await holdClaims(tx);
  const [row] = await tx.rows<{ id: number }>(
    `INSERT INTO gate (scope, workspace_id, ${COLUMN[gate.scope]}, capacity) VALUES ($1, $2, $3, $4)
     ON CONFLICT DO NOTHING RETURNING id`,
    [gate.scope, gate.workspaceId, gate.targetId, gate.capacity],
  );
  if (row === undefined) return undefined;
  await tx.run(`UPDATE resource_group SET gated = true WHERE NOT gated`);
  await standBefore(tx, row.id, gate.scope, [gate.targetId]);
  return row.id;
}

/** `false`: there is no such gate. What is through stays through, also where it is more than that. */
export async function updateGate(
  tx: Sql,
  workspaceId: number,
  id: number,
  capacity: number,
): Promise<boolean> {
  const changed = await tx.run(
    `UPDATE gate SET capacity = $3 WHERE workspace_id = $1 AND id = $2`,
    [workspaceId, id, capacity],
  );
  return changed === 1;
}

/** `false`: there is no such gate. */
export async function deleteGate(tx: Sql, workspaceId: number, id: number): Promise<boolean> {
  await holdClaims(tx);
  const deleted = await tx.run(`DELETE FROM gate WHERE workspace_id = $1 AND id = $2`, [
    workspaceId,
    id,
  ]);
  if (deleted > 0) await dissolve(tx, [id]);
  return deleted === 1;
}

/** How many slots each node type may take at once in a group; null removes the quota, others stay. */
export async function changeQuotas(
  tx: Sql,
  groupId: number,
  quotas: Readonly<Record<string, number | null>>,
): Promise<void> {
  await holdClaims(tx, groupId);
  const removed = Object.keys(quotas).filter((type) => quotas[type] === null);
  const gone = await tx.rows<{ id: number }>(
    `DELETE FROM gate WHERE resource_group_id = $1 AND node_type = ANY($2::text[]) RETURNING id`,
    [groupId, removed],
  );
  for (const [type, capacity] of Object.entries(quotas)) {
    if (capacity === null) continue;
    const [row] = await tx.rows<{ id: number }>(
      `INSERT INTO gate (scope, resource_group_id, node_type, capacity) VALUES ('node_type', $1, $2, $3)
       ON CONFLICT (resource_group_id, node_type) DO UPDATE SET capacity = excluded.capacity
       RETURNING id`,
      [groupId, type, capacity],
    );
    await tx.run(`UPDATE resource_group SET gated = true WHERE id = $1`, [groupId]);
    await standBefore(tx, row?.id ?? 0, 'node_type', [groupId, type]);
  }
  await dissolve(
    tx,
    gone.map((row) => row.id),
  );
}

/**
 * How many instances may hold a scheduling slot of the group at once. They cannot be taken away again, only
 * be made 0: nodes that name the group would run without one.
 */
export async function setSchedulingSlots(tx: Sql, groupId: number, slots: number): Promise<void> {
  await tx.run(
    `INSERT INTO gate (scope, resource_group_id, capacity) VALUES ('scheduling', $1, $2)
     ON CONFLICT (resource_group_id) WHERE scope = 'scheduling'
     DO UPDATE SET capacity = excluded.capacity`,
    [groupId, slots],
  );
}

/** No claim is under way until the transaction ends: all of them, or those of one group. */
async function holdClaims(tx: Sql, groupId?: number): Promise<void> {
  const which = groupId === undefined ? 'true' : 'id = $1';
  await tx.rows(
    `SELECT FROM resource_group WHERE ${which} ORDER BY id FOR NO KEY UPDATE`,
    groupId === undefined ? [] : [groupId],
  );
}

/** Which rows of `ready_instance r` a gate is for; $2 and $3 are its target. */
const QUEUED = {
  node: `r.node_id = $2`,
  workflow: `r.node_id IN (SELECT id FROM node WHERE workflow_id = $2)`,
  data_source: `r.node_id IN (
    SELECT n.id FROM data_source d JOIN workflow w ON w.workspace_id = d.workspace_id
      JOIN node n ON n.workflow_id = w.id
     WHERE d.id = $2 AND d.name = ANY((SELECT latest.data_sources FROM node_version latest
             WHERE latest.node_id = n.id ORDER BY latest.version_id DESC LIMIT 1)::text[]))`,
  node_type: `r.resource_group_id = $2 AND r.node_type = $3`,
} as const;

/** Which rows of `running_attempt r`: what it uses says the version that it has begun with. */
const RUNNING = {
  node: QUEUED.node,
  workflow: QUEUED.workflow,
  data_source: `EXISTS (
    SELECT FROM attempt a JOIN node_version v ON v.version_id = a.version_id AND v.node_id = r.node_id
      JOIN node n ON n.id = r.node_id JOIN workflow w ON w.id = n.workflow_id
      JOIN data_source d ON d.workspace_id = w.workspace_id AND d.name = ANY(v.data_sources)
     WHERE a.plan_day = r.plan_day AND a.instance_id = r.instance_id AND a.epoch = r.epoch AND d.id = $2)`,
  node_type: `r.resource_group_id = $2 AND EXISTS (
    SELECT FROM node_instance i
     WHERE i.plan_day = r.plan_day AND i.id = r.instance_id AND i.node_type = $3)`,
} as const;

/** What runs already counts, and what waits in no other lane moves to the one of the gate. */
async function standBefore(
  tx: Sql,
  gateId: number,
  scope: GateScope | 'node_type',
  target: readonly (string | number)[],
): Promise<void> {
  await tx.run(
    `WITH found AS (
       SELECT r.instance_id FROM running_attempt r
        WHERE ${RUNNING[scope]} AND NOT r.gate_ids @> ARRAY[$1::bigint]
        ORDER BY r.instance_id FOR NO KEY UPDATE
     )
     UPDATE running_attempt r SET gate_ids = r.gate_ids || $1::bigint FROM found
      WHERE r.instance_id = found.instance_id`,
    [gateId, ...target],
  );
  await tx.run(
    `WITH found AS (
       SELECT r.instance_id FROM ready_instance r WHERE r.gate_id = 0 AND ${QUEUED[scope]}
        ORDER BY r.instance_id FOR NO KEY UPDATE
     )
     UPDATE ready_instance r SET gate_id = $1 FROM found WHERE r.instance_id = found.instance_id`,
    [gateId, ...target],
  );
}

/** Gives what removed gates held to one of the other gates it has to go through, or to the plain lane. */
async function dissolve(tx: Sql, gateIds: readonly number[]): Promise<void> {
  await tx.run(
    `UPDATE ready_instance r SET gate_id = ${laneOf('r')} WHERE gate_id = ANY($1::bigint[])`,
    [gateIds],
  );
  await tx.run(
    `UPDATE resource_group g SET gated = false WHERE gated
        AND NOT EXISTS (SELECT FROM gate WHERE scope <> 'scheduling'
                           AND (resource_group_id IS NULL OR resource_group_id = g.id))`,
  );
}
