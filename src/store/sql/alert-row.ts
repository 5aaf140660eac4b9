import { type AlertConditionKind, timeOfMinute } from '../../domain/alert/alert-rule.js';
import type { AlertFacts } from '../../domain/alert/alert-text.js';

export type AlertState = 'open' | 'closed';

/** One alert `a` with its rule `r` and the names of what it is about. */
export interface AlertRow {
  readonly id: number;
  readonly ruleId: number;
  readonly ruleName: string;
  readonly condition: AlertConditionKind;
  readonly state: AlertState;
  readonly workflowId: number | null;
  readonly workflow: string | null;
  readonly node: string | null;
  readonly resourceGroup: string | null;
  readonly backfillId: number | null;
  readonly backfill: string | null;
  readonly timezone: string | null;
  readonly bizdate: string | null;
  readonly planDay: string | null;
  readonly instanceId: number | null;
  readonly errorCode: string | null;
  readonly instances: number | null;
  readonly dueMinute: number | null;
  readonly since: Date | null;
  readonly firstAt: Date;
  readonly lastAt: Date;
  readonly count: number;
  readonly mutedUntil: Date | null;
  readonly closedAt: Date | null;
}

export const ALERT_COLUMNS = `a.id, a.rule_id AS "ruleId", r.name AS "ruleName", r.condition, a.state,
  a.workflow_id AS "workflowId", aw.name AS workflow, an.name AS node, ag.name AS "resourceGroup",
  a.run_group_id AS "backfillId", ab.name AS backfill, a.timezone,
  a.bizdate, a.plan_day AS "planDay", a.instance_id AS "instanceId", a.error_code AS "errorCode", a.instances,
  r.due_minute AS "dueMinute", a.since, a.first_at AS "firstAt", a.last_at AS "lastAt", a.count,
  a.muted_until AS "mutedUntil", a.closed_at AS "closedAt"`;

export const ALERT_NAMES = `JOIN alert_rule r ON r.id = a.rule_id
  LEFT JOIN workflow aw ON aw.id = a.workflow_id LEFT JOIN node an ON an.id = a.node_id
  LEFT JOIN resource_group ag ON ag.id = a.resource_group_id
  LEFT JOIN run_group ab ON ab.id = a.run_group_id`;

export function factsOf(row: AlertRow): AlertFacts {
  return { ...row, by: row.dueMinute === null ? null : timeOfMinute(row.dueMinute) };
}
