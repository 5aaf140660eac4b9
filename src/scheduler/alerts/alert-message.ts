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
  readonly bizdate: string | null;
  readonly instanceId: string | null;
  readonly errorCode: string | null;
  readonly firstAt: Date;
  /** Which message about it this is, from 1. */
  readonly count: number;
  /** Why the instance stands where it stands. */
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

function messageAlert(row: AlertRow, pathOf: (path: string) => string | null): MessageAlert {
  const { workflow, node, resourceGroup, bizdate, errorCode, firstAt } = row;
  const instanceId =
    row.instanceId === null || row.planDay === null
      ? null
      : encodeDayId('inst', { planDay: row.planDay, id: row.instanceId });
  return {
    id: encodeId('alert', row.id),
    text: alertText(factsOf(row)),
    workflow,
    node,
    resourceGroup,
    bizdate,
    instanceId,
    errorCode,
    firstAt,
    count: row.count + 1,
    link: instanceId === null ? null : pathOf(`ops/instances/${instanceId}?tab=why`),
  };
}

function linker(workspace: string, publicUrl: string | undefined): (path: string) => string | null {
  if (publicUrl === undefined) return () => null;
  const base = publicUrl.replace(/\/+$/, '');
  return (path) => `${base}/w/${workspace}/${path}`;
}
