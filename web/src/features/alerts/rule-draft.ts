import type { components } from '../../api/schema.gen.ts';
import type { AlertRule } from './alerts-api.ts';

type NewRule = components['schemas']['NewAlertRule'];
type RuleChange = components['schemas']['AlertRuleChange'];
export type Condition = AlertRule['condition'];
export type Target = AlertRule['target'];
export type ConditionKind = Condition['kind'];
export type TargetKind = Target['kind'];
export type RunKind = Extract<Condition, { kind: 'failed' }>['runs'][number];

export const CONDITIONS = [
  'failed',
  'unfinished',
  'plan_missing',
  'plan_jump',
  'backfill_paused',
  'no_worker',
] as const;
export const RUN_KINDS = ['scheduled', 'test', 'backfill', 'manual'] as const;

/** The fields of the form, as they are typed. */
export interface RuleDraft {
  readonly name: string;
  readonly enabled: boolean;
  readonly condition: ConditionKind;
  readonly runs: readonly RunKind[];
  readonly by: string;
  readonly minutes: number | string;
  readonly target: TargetKind;
  readonly workflows: readonly string[];
  /** Each `workflow/node`. */
  readonly nodes: readonly string[];
  readonly resourceGroup: string;
  readonly hasWebhook: boolean;
  /** Empty: the stored one stays. */
  readonly url: string;
  readonly secret: string;
  readonly emails: readonly string[];
  readonly owner: string;
  readonly muteFrom: string;
  readonly muteTo: string;
  /** Empty: no repetition. */
  readonly repeatMinutes: number | string;
  readonly maxCount: number | string;
}

export const NEW_RULE: RuleDraft = {
  name: '',
  enabled: true,
  condition: 'failed',
  runs: ['scheduled'],
  by: '06:00',
  minutes: 10,
  target: 'all',
  workflows: [],
  nodes: [],
  resourceGroup: 'default',
  hasWebhook: false,
  url: '',
  secret: '',
  emails: [],
  owner: '',
  muteFrom: '',
  muteTo: '',
  repeatMinutes: '',
  maxCount: 3,
};

/** The kinds of target a condition can be asked of. */
export function targetsOf(condition: ConditionKind): readonly TargetKind[] {
  if (condition === 'plan_missing' || condition === 'plan_jump') return ['all'];
  if (condition === 'backfill_paused') return ['all', 'workflows'];
  if (condition === 'no_worker') return ['resource_group'];
  return ['all', 'workflows', 'nodes', 'resource_group'];
}

export function draftOf(rule: AlertRule): RuleDraft {
  const { condition, target } = rule;
  return {
    ...NEW_RULE,
    name: rule.name,
    enabled: rule.enabled,
    condition: condition.kind,
    ...(condition.kind === 'failed' ? { runs: condition.runs } : {}),
    ...(condition.kind === 'unfinished' ? { by: condition.by } : {}),
    ...(condition.kind === 'no_worker' ? { minutes: condition.minutes } : {}),
    target: target.kind,
    ...(target.kind === 'workflows' ? { workflows: target.workflows } : {}),
    ...(target.kind === 'nodes'
      ? { nodes: target.nodes.map(({ workflow, node }) => `${workflow}/${node}`) }
      : {}),
    ...(target.kind === 'resource_group' ? { resourceGroup: target.resourceGroup } : {}),
    hasWebhook: rule.webhook !== null,
    emails: rule.emails,
    owner: rule.owner,
    muteFrom: rule.mute?.from ?? '',
    muteTo: rule.mute?.to ?? '',
    repeatMinutes: rule.repeatMinutes ?? '',
    maxCount: rule.maxCount,
  };
}

/** What is sent for a draft, but its webhook. */
export function fieldsOf(draft: RuleDraft): Omit<NewRule, 'webhook'> {
  const { muteFrom: from, muteTo: to } = draft;
  return {
    name: draft.name.trim(),
    enabled: draft.enabled,
    condition: conditionOf(draft),
    target: targetOf(draft),
    emails: [...draft.emails],
    owner: draft.owner.trim(),
    mute: from === '' && to === '' ? null : { from, to },
    repeatMinutes: draft.repeatMinutes === '' ? null : Number(draft.repeatMinutes),
    maxCount: Number(draft.maxCount),
  };
}

function conditionOf({ condition: kind, runs, by, minutes }: RuleDraft): Condition {
  if (kind === 'failed') return { kind, runs: [...runs] };
  if (kind === 'unfinished') return { kind, by: by.trim() };
  if (kind === 'no_worker') return { kind, minutes: Number(minutes) };
  return { kind };
}

function targetOf({ target: kind, workflows, nodes, resourceGroup }: RuleDraft): Target {
  if (kind === 'workflows') return { kind, workflows: [...workflows] };
  if (kind === 'nodes') return { kind, nodes: nodes.map(nodeOf) };
  if (kind === 'resource_group') return { kind, resourceGroup };
  return { kind };
}

/** Neither the name of a workflow nor that of a node has a slash. */
function nodeOf(text: string): { workflow: string; node: string } {
  const at = text.indexOf('/');
  return at < 0
    ? { workflow: text.trim(), node: '' }
    : { workflow: text.slice(0, at).trim(), node: text.slice(at + 1).trim() };
}

/** The webhook of a new rule. */
export function newWebhookOf({
  hasWebhook,
  url,
  secret,
}: RuleDraft): Exclude<NewRule['webhook'], undefined> {
  return hasWebhook ? { url: url.trim(), secret: secret === '' ? null : secret } : null;
}

/** What changes of the webhook of a stored rule; empty fields leave what is stored. */
export function webhookChangeOf({
  hasWebhook,
  url,
  secret,
}: RuleDraft): Exclude<RuleChange['webhook'], undefined> {
  if (!hasWebhook) return null;
  return {
    ...(url.trim() === '' ? {} : { url: url.trim() }),
    ...(secret === '' ? {} : { secret }),
  };
}
