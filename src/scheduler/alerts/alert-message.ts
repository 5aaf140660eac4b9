import type { AlertConditionKind } from '../../domain/alert/alert-rule.js';
import { alertText } from '../../domain/alert/alert-text.js';
import { encodeDayId, encodeId } from '../../domain/ids.js';
import { factsOf, type AlertRow } from '../../store/sql/alert-row.js';

/** What is sent: the JSON body of a webhook, and what a mail is written from. */
export interface AlertMessage {
  readonly type: 'alert' | 'test';
  /** All of it as text; chat systems show this field. */
  readonly text: string;
  readonly workspace: string;
  readonly rule: {
    readonly id: string;
    readonly name: string;
    readonly condition: AlertConditionKind;
    readonly owner: string;
  };
  readonly alerts: readonly MessageAlert[];
  /** How many alerts there are besides those listed. */
  readonly more: number;
  /** The list of all alerts in the console; null without MILLRACE_PUBLIC_URL. */
  readonly link: string | null;
}

export interface MessageAlert {
  readonly id: string;
  readonly text: string;
  readonly workflow: string | null;
  readonly node: string | null;
  readonly resourceGroup: string | null;
  readonly backfillId: string | null;
  readonly bizdate: string | null;
  readonly instanceId: string | null;
  readonly errorCode: string | null;
  readonly firstAt: Date;
  /** Which message about it this is, from 1. */
  readonly count: number;
  /** Why the instance stands where it stands, the backfill, the plans or the resource groups. */
  readonly link: string | null;
}

const LISTED = 20;

type MessageRule = AlertMessage['rule'];

/** The message about some alerts of one rule. */
export function alertMessage(
  workspace: string,
  rule: MessageRule,
  rows: readonly AlertRow[],
  publicUrl: string | undefined,
): AlertMessage {
  const pathOf = linker(workspace, publicUrl);
  const alerts = rows.slice(0, LISTED).map((row) => messageAlert(row, pathOf));
  const more = rows.length - alerts.length;
  const head = `[${workspace}] ${rule.name}${rule.owner === '' ? '' : ` (${rule.owner})`}`;
  const lines = alerts.map(({ text, link }) => `- ${text}${link === null ? '' : `\n  ${link}`}`);
  const tail = more > 0 ? [`and ${more} more`] : [];
  return {
    type: 'alert',
    text: [head, ...lines, ...tail].join('\n'),
    workspace,
    rule,
    alerts,
    more,
    link: pathOf('ops/alerts'),
  };
}

/** A message that says only that messages arrive. */
export function testMessage(
  workspace: string,
  rule: MessageRule,
  publicUrl: string | undefined,
): AlertMessage {
  return {
    type: 'test',
    text: `[${workspace}] ${rule.name}: a test message; nothing is wrong`,
    workspace,
    rule,
    alerts: [],
    more: 0,
    link: linker(workspace, publicUrl)('ops/alerts'),
  };
}

function messageAlert(row: AlertRow, pathOf: PathOf): MessageAlert {
  const { workflow, node, resourceGroup, bizdate, errorCode, firstAt } = row;
  const instanceId =
    row.instanceId === null || row.planDay === null
      ? null
      : encodeDayId('inst', { planDay: row.planDay, id: row.instanceId });
  const backfillId = row.backfillId === null ? null : encodeId('bf', row.backfillId);
  return {
    id: encodeId('alert', row.id),
    text: alertText(factsOf(row)),
    workflow,
    node,
    resourceGroup,
    backfillId,
    bizdate,
    instanceId,
    errorCode,
    firstAt,
    count: row.count + 1,
    link: pathOf(placeOf(row.condition, instanceId, backfillId)),
  };
}

/** Of an alert that is about neither an instance nor a backfill. */
const PLACES: Readonly<Partial<Record<AlertConditionKind, string>>> = {
  plan_missing: 'ops/plans',
  plan_jump: 'ops/plans',
  no_worker: 'ops/resources',
};

function placeOf(
  condition: AlertConditionKind,
  instanceId: string | null,
  backfillId: string | null,
): string | undefined {
  if (instanceId !== null) return `ops/instances/${instanceId}?tab=why`;
  return backfillId === null ? PLACES[condition] : `ops/backfills/${backfillId}`;
}

type PathOf = (path: string | undefined) => string | null;

function linker(workspace: string, publicUrl: string | undefined): PathOf {
  if (publicUrl === undefined) return () => null;
  const base = publicUrl.replace(/\/+$/, '');
  return (path) => (path === undefined ? null : `${base}/w/${workspace}/${path}`);
}
