import { z } from 'zod';

import { CliError } from '../cli-error.js';
import { EXIT } from '../exit-code.js';
import type { ApiClient } from './api-client.js';

export const alertSchema = z.looseObject({
  id: z.string(),
  ruleName: z.string(),
  state: z.string(),
  text: z.string(),
  instanceId: z.string().nullish(),
  firstAt: z.string(),
  count: z.number(),
  mutedUntil: z.string().nullish(),
});

const deliverySchema = z.looseObject({
  status: z.string(),
  channel: z.string(),
  answer: z.string().nullish(),
  errorCode: z.string().nullish(),
  errorDetail: z.string().nullish(),
});

export const alertRuleSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  enabled: z.boolean(),
  condition: z.looseObject({ kind: z.string() }),
  target: z.looseObject({ kind: z.string() }),
  webhook: z.looseObject({ origin: z.string() }).nullish(),
  emails: z.array(z.string()),
  openAlerts: z.number(),
  lastDelivery: deliverySchema.nullish(),
});
export type AlertRule = z.infer<typeof alertRuleSchema>;

export const alertTestSchema = z.looseObject({ results: z.array(deliverySchema) });

export function alertsPath(workspace: string): string {
  return `/workspaces/${encodeURIComponent(workspace)}/alerts`;
}

export function alertRulesPath(workspace: string): string {
  return `/workspaces/${encodeURIComponent(workspace)}/alert-rules`;
}

const MANY = 10_000;

/** The rule of that name or id (`rule_3`), where there is one. */
export async function lookUpAlertRule(
  api: ApiClient,
  workspace: string,
  nameOrId: string,
): Promise<AlertRule | undefined> {
  const { items } = await api.list(alertRulesPath(workspace), alertRuleSchema, MANY);
  return items.find(({ name }) => name === nameOrId) ?? items.find(({ id }) => id === nameOrId);
}

export async function findAlertRule(
  api: ApiClient,
  workspace: string,
  nameOrId: string,
): Promise<AlertRule> {
  const found = await lookUpAlertRule(api, workspace, nameOrId);
  if (found !== undefined) return found;
  throw new CliError(`No alert rule "${nameOrId}" in the workspace ${workspace}`, {
    exitCode: EXIT.conflict,
    fix: 'See `millrace alert-rules ls`.',
  });
}
