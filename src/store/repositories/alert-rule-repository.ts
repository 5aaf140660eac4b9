import {
  type AlertCondition,
  type AlertConditionKind,
  type AlertTarget,
  minuteOfDay,
  type RunKind,
  timeOfMinute,
} from '../../domain/alert/alert-rule.js';
import type { MuteWindow } from '../../domain/alert/mute-window.js';
import { MillraceError } from '../../domain/errors.js';
import { type Sql, sqlStateOf } from '../database.js';
import type { SecretBox } from '../secret-box.js';

/** The last message of a rule over any channel. */
export interface LastDelivery {
  readonly channel: 'webhook' | 'email';
  readonly status: 'waiting' | 'delivered' | 'failed';
  readonly attempts: number;
  readonly at: Date | null;
  readonly answer: string | null;
  readonly errorCode: string | null;
  readonly errorDetail: string | null;
}

/** A rule as it may be shown: of its webhook only scheme and host. */
export interface AlertRule {
  readonly id: number;
  readonly name: string;
  readonly enabled: boolean;
  readonly condition: AlertCondition;
  readonly target: AlertTarget;
  readonly webhookOrigin: string | null;
  readonly secretId: number | null;
  readonly emails: readonly string[];
  readonly owner: string;
  readonly mute: MuteWindow | null;
  readonly repeatMinutes: number | null;
  readonly maxCount: number;
  readonly openAlerts: number;
  readonly lastDelivery: LastDelivery | null;
  readonly revision: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What lies in the secret of a rule: the whole address, and the key its messages are signed with. */
export interface Webhook {
  readonly url: string;
  readonly secret: string | null;
}

/** What a user says of a rule. */
export interface AlertRuleFields {
  readonly name: string;
  readonly enabled: boolean;
  readonly condition: AlertCondition;
  readonly target: ResolvedTarget;
  readonly webhook: Webhook | null;
  readonly emails: readonly string[];
  readonly owner: string;
  readonly mute: MuteWindow | null;
  readonly repeatMinutes: number | null;
  readonly maxCount: number;
}

/** A target by the ids of its names. */
export interface ResolvedTarget {
  readonly kind: AlertTarget['kind'];
  readonly resourceGroupId: number | null;
  readonly members: readonly { readonly workflowId: number; readonly nodeId: number | null }[];
}

interface RuleRow extends Omit<AlertRule, 'condition' | 'target' | 'mute' | 'lastDelivery'> {
  readonly condition: AlertConditionKind;
  readonly runKinds: readonly RunKind[];
  readonly dueMinute: number | null;
  readonly absentMinutes: number | null;
  readonly target: AlertTarget['kind'];
  readonly resourceGroup: string | null;
  readonly members: readonly { readonly workflow: string; readonly node: string | null }[] | null;
  readonly muteFrom: string | null;
  readonly muteTo: string | null;
  readonly lastDelivery: (Omit<LastDelivery, 'at'> & { readonly at: string | null }) | null;
}

const UNIQUE_VIOLATION = '23505';

const SELECT = `
  SELECT r.id, r.name, r.enabled, r.condition, r.run_kinds AS "runKinds", r.due_minute AS "dueMinute",
         r.absent_minutes AS "absentMinutes", r.target, g.name AS "resourceGroup", m.members,
         r.webhook_origin AS "webhookOrigin", r.secret_id AS "secretId", r.emails, r.owner,
         r.mute_from AS "muteFrom", r.mute_to AS "muteTo", r.repeat_minutes AS "repeatMinutes",
         r.max_count AS "maxCount", r.revision, r.created_at AS "createdAt", r.updated_at AS "updatedAt",
         (SELECT count(*)::int FROM alert a WHERE a.rule_id = r.id AND a.state = 'open') AS "openAlerts",
         CASE WHEN d.channel IS NOT NULL THEN to_jsonb(d) END AS "lastDelivery"
    FROM alert_rule r
    LEFT JOIN resource_group g ON g.id = r.resource_group_id
    LEFT JOIN LATERAL (
      SELECT jsonb_agg(jsonb_build_object('workflow', w.name, 'node', n.name) ORDER BY t.no) AS members
        FROM alert_rule_target t JOIN workflow w ON w.id = t.workflow_id
        LEFT JOIN node n ON n.id = t.node_id
       WHERE t.rule_id = r.id) m ON true
    LEFT JOIN LATERAL (
      -- The last message of each channel the rule has; of these the one that does not get through.
      SELECT l.channel, l.status, l.attempts, l.attempted_at AS at, l.answer, l.error_code AS "errorCode",
             l.error_detail AS "errorDetail"
        FROM (VALUES ('webhook', r.secret_id IS NOT NULL), ('email', cardinality(r.emails) > 0)) c (name, has)
       CROSS JOIN LATERAL (
         SELECT * FROM alert_delivery WHERE rule_id = r.id AND channel = c.name ORDER BY id DESC LIMIT 1) l
       WHERE c.has ORDER BY l.error_code IS NULL, l.id DESC LIMIT 1) d ON true`;

/** Page of the workspace's rules by name. */
export async function listAlertRules(
  sql: Sql,
  page: {
    readonly workspaceId: number;
    readonly after: { readonly name: string; readonly id: number } | undefined;
    readonly limit: number;
  },
): Promise<AlertRule[]> {
  const rows = await sql.rows<RuleRow>(
    `${SELECT} WHERE r.workspace_id = $1 AND (r.name, r.id) > ($2, $3) ORDER BY r.name, r.id LIMIT $4`,
    [page.workspaceId, page.after?.name ?? '', page.after?.id ?? 0, page.limit],
  );
  return rows.map(ruleOf);
}

export async function alertRuleById(
  sql: Sql,
  workspaceId: number,
  id: number,
): Promise<AlertRule | undefined> {
  const [row] = await sql.rows<RuleRow>(`${SELECT} WHERE r.workspace_id = $1 AND r.id = $2`, [
    workspaceId,
    id,
  ]);
  return row && ruleOf(row);
}

function ruleOf(row: RuleRow): AlertRule {
  const { runKinds, dueMinute, absentMinutes, resourceGroup, members, ...others } = row;
  const { muteFrom, muteTo, lastDelivery, ...rule } = others;
  return {
    ...rule,
    condition: conditionOf(row.condition, { runKinds, dueMinute, absentMinutes }),
    target: targetOf(row.target, resourceGroup, members ?? []),
    mute: muteFrom === null || muteTo === null ? null : { from: muteFrom, to: muteTo },
    lastDelivery: lastDelivery && {
      ...lastDelivery,
      at: lastDelivery.at === null ? null : new Date(lastDelivery.at),
    },
  };
}

function conditionOf(
  kind: AlertConditionKind,
  { runKinds, dueMinute, absentMinutes }: Pick<RuleRow, 'runKinds' | 'dueMinute' | 'absentMinutes'>,
): AlertCondition {
  switch (kind) {
    case 'failed':
      return { kind, runs: runKinds };
    case 'unfinished':
      return { kind, by: timeOfMinute(dueMinute ?? 0) };
    case 'plan_missing':
    case 'plan_jump':
    case 'backfill_paused':
      return { kind };
    case 'no_worker':
      return { kind, minutes: absentMinutes ?? 0 };
  }
}

function targetOf(
  kind: AlertTarget['kind'],
  resourceGroup: string | null,
  members: NonNullable<RuleRow['members']>,
): AlertTarget {
  switch (kind) {
    case 'all':
      return { kind };
    case 'workflows':
      return { kind, workflows: members.map(({ workflow }) => workflow) };
    case 'nodes':
      return { kind, nodes: members.map(({ workflow, node }) => ({ workflow, node: node ?? '' })) };
    case 'resource_group':
      return { kind, resourceGroup: resourceGroup ?? '' };
  }
}

/** Looks up the names of a target. MR-A101 with the place of each name that does not exist. */
export async function resolveTarget(
  sql: Sql,
  workspaceId: number,
  target: AlertTarget,
): Promise<ResolvedTarget> {
  const none = { kind: target.kind, resourceGroupId: null, members: [] };
  if (target.kind === 'all') return none;
  if (target.kind === 'resource_group') {
    const [group] = await sql.rows<{ id: number }>(
      'SELECT id FROM resource_group WHERE name = $1',
      [target.resourceGroup],
    );
    if (group === undefined) throw unknownNames(['/target/resourceGroup']);
    return { ...none, resourceGroupId: group.id };
  }
  const names =
    target.kind === 'nodes'
      ? target.nodes
      : target.workflows.map((workflow) => ({ workflow, node: null }));
  const found = await sql.rows<{ workflow_id: number | null; node_id: number | null }>(
    `SELECT w.id AS workflow_id, n.id AS node_id
       FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS t(workflow, node, no)
       LEFT JOIN workflow w ON w.workspace_id = $1 AND w.name = t.workflow
       LEFT JOIN node n ON n.workflow_id = w.id AND n.name = t.node
      ORDER BY t.no`,
    [workspaceId, names.map(({ workflow }) => workflow), names.map(({ node }) => node)],
  );
  const members = found.flatMap(({ workflow_id: workflowId, node_id: nodeId }) =>
    workflowId === null || (target.kind === 'nodes' && nodeId === null)
      ? []
      : [{ workflowId, nodeId }],
  );
  if (members.length === names.length) return { ...none, members };
  throw unknownNames(
    found.flatMap((each, no) => {
      if (each.workflow_id === null)
        return [
          target.kind === 'nodes' ? `/target/nodes/${no}/workflow` : `/target/workflows/${no}`,
        ];
      return target.kind === 'nodes' && each.node_id === null ? [`/target/nodes/${no}/node`] : [];
    }),
  );
}

function unknownNames(pointers: readonly string[]): MillraceError {
  return new MillraceError('MR-A101', 'the target names something that does not exist', {
    errors: pointers.map((pointer) => ({ pointer, detail: 'unknown' })),
  });
}

/** Stores a rule with its webhook sealed. Call in a transaction. MR-A105 when the name is taken. */
export async function insertAlertRule(
  tx: Sql,
  box: SecretBox,
  fields: AlertRuleFields,
  owner: { readonly workspaceId: number; readonly userId: number },
): Promise<number> {
  const secretId = fields.webhook === null ? null : await box.seal(tx, fields.webhook);
  const columns = columnsOf(fields, secretId);
  const rows = await uniquely(fields.name, () =>
    tx.rows<{ id: number }>(
      `INSERT INTO alert_rule (workspace_id, created_by, from_seq, ${COLUMN_NAMES})
       VALUES ($1, $2, (SELECT seq FROM event_counter), ${columns.map((_, no) => `$${no + 3}`).join(', ')})
       RETURNING id`,
      [owner.workspaceId, owner.userId, ...columns],
    ),
  );
  const id = rows[0]?.id ?? 0;
  await insertMembers(tx, id, fields.target);
  return id;
}

/**
 * Replaces all of a rule and destroys the older secret. What it looks for counts from now on where it
 * changed or was off. Call in a transaction. `false` when `revision` is not the present one any more.
 */
export async function updateAlertRule(
  tx: Sql,
  box: SecretBox,
  current: AlertRule,
  fields: AlertRuleFields,
  looksAnew: boolean,
): Promise<boolean> {
  const secretId = fields.webhook === null ? null : await box.seal(tx, fields.webhook);
  const columns = columnsOf(fields, secretId);
  const changed = await uniquely(fields.name, () =>
    tx.run(
      `UPDATE alert_rule SET (${COLUMN_NAMES}) = (${columns.map((_, no) => `$${no + 4}`).join(', ')}),
              from_seq = CASE WHEN $3 THEN (SELECT seq FROM event_counter) ELSE from_seq END,
              revision = revision + 1, updated_at = clock_timestamp()
        WHERE id = $1 AND revision = $2`,
      [current.id, current.revision, looksAnew, ...columns],
    ),
  );
  const outdated = changed === 1 ? current.secretId : secretId;
  if (outdated !== null) await box.remove(tx, outdated);
  if (changed !== 1) return false;
  await tx.run('DELETE FROM alert_rule_target WHERE rule_id = $1', [current.id]);
  await insertMembers(tx, current.id, fields.target);
  if (looksAnew) await tx.run('DELETE FROM alert_deadline WHERE rule_id = $1', [current.id]);
  return true;
}

/** Removes a rule with its alerts and messages, and destroys its secret. Call in a transaction. */
export async function deleteAlertRule(tx: Sql, box: SecretBox, rule: AlertRule): Promise<boolean> {
  const changed = await tx.run('DELETE FROM alert_rule WHERE id = $1 AND revision = $2', [
    rule.id,
    rule.revision,
  ]);
  if (changed === 1 && rule.secretId !== null) await box.remove(tx, rule.secretId);
  return changed === 1;
}

const COLUMN_NAMES = `name, enabled, condition, run_kinds, due_minute, absent_minutes, target,
  resource_group_id, webhook_origin, secret_id, emails, owner, mute_from, mute_to, repeat_minutes, max_count`;

function columnsOf(fields: AlertRuleFields, secretId: number | null): unknown[] {
  const { condition, target, webhook, mute } = fields;
  return [
    fields.name,
    fields.enabled,
    condition.kind,
    condition.kind === 'failed' ? condition.runs : ['scheduled'],
    condition.kind === 'unfinished' ? (minuteOfDay(condition.by) ?? null) : null,
    condition.kind === 'no_worker' ? condition.minutes : null,
    target.kind,
    target.resourceGroupId,
    webhook === null ? null : new URL(webhook.url).origin,
    secretId,
    fields.emails,
    fields.owner,
    mute?.from ?? null,
    mute?.to ?? null,
    fields.repeatMinutes,
    fields.maxCount,
  ];
}

async function insertMembers(tx: Sql, ruleId: number, target: ResolvedTarget): Promise<void> {
  if (target.members.length === 0) return;
  await tx.run(
    `INSERT INTO alert_rule_target (rule_id, no, workflow_id, node_id)
     SELECT $1, t.no, t.workflow_id, t.node_id
       FROM unnest($2::bigint[], $3::bigint[]) WITH ORDINALITY AS t(workflow_id, node_id, no)`,
    [
      ruleId,
      target.members.map(({ workflowId }) => workflowId),
      target.members.map(({ nodeId }) => nodeId),
    ],
  );
}

async function uniquely<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (sqlStateOf(error) !== UNIQUE_VIOLATION) throw error;
    throw new MillraceError('MR-A105', `an alert rule named ${name} is there already`, {
      cause: error,
    });
  }
}
