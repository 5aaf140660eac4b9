import { z } from 'zod';

import {
  ALERT_CONDITIONS,
  type AlertConditionKind,
  type AlertTarget,
  minuteOfDay,
  RUN_KINDS,
  targetsOf,
} from '../../domain/alert/alert-rule.js';
import { instantSchema } from './field.schema.js';

const MAX_TARGETS = 200;

const timeSchema = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'write it as HH:MM, from 00:00 to 23:59');

// Without an id: what is sent and what is answered differ in what may be left out.
const conditionSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('failed'),
    runs: z.array(z.enum(RUN_KINDS)).min(1).default(['scheduled']).meta({
      description: 'Kinds of runs whose failures count; backfills and tests do not unless named.',
    }),
  }),
  z.strictObject({
    kind: z.literal('unfinished'),
    by: z
      .string()
      .refine((text) => minuteOfDay(text) !== undefined, 'write it as HH:MM, from 00:00 to 47:59')
      .meta({
        description:
          'Wall clock of the day after the business date, in the zone of the workflow; 30:00 is 06:00 one day later.',
      }),
  }),
  z.strictObject({ kind: z.literal('plan_missing') }),
  z.strictObject({ kind: z.literal('plan_jump') }),
  z.strictObject({ kind: z.literal('backfill_paused') }),
  z.strictObject({ kind: z.literal('no_worker'), minutes: z.int().min(1).max(10_080) }),
]);

const targetSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('all') }),
    z.strictObject({
      kind: z.literal('workflows'),
      workflows: z.array(z.string()).min(1).max(MAX_TARGETS),
    }),
    z.strictObject({
      kind: z.literal('nodes'),
      nodes: z
        .array(z.strictObject({ workflow: z.string(), node: z.string() }))
        .min(1)
        .max(MAX_TARGETS),
    }),
    z.strictObject({ kind: z.literal('resource_group'), resourceGroup: z.string() }),
  ])
  .meta({ id: 'AlertTarget' });

const webhookUrlSchema = z
  .url({ protocol: /^https?$/ })
  .max(2000)
  .refine(
    (url) => !/^https?:[/\\]*[^/\\?#]*@/i.test(url),
    'without user name and password; sign with `secret` instead',
  );
const webhookSecretSchema = z.string().min(8).max(500);

// Not a pattern: without its flag, as JSON Schema has it, it means something else.
const hasNoControls = (text: string): boolean => !/\p{Cc}/u.test(text);

const fields = {
  name: z.string().min(1).max(128).refine(hasNoControls, 'without control characters'),
  enabled: z.boolean(),
  condition: conditionSchema,
  target: targetSchema,
  emails: z.array(z.email().max(254)).max(20),
  owner: z
    .string()
    .max(200)
    .refine(hasNoControls, 'without control characters')
    .meta({ description: 'Who looks after it; stands in the messages.' }),
  mute: z
    .strictObject({ from: timeSchema, to: timeSchema })
    .nullable()
    .meta({ description: 'No messages in this time of day, in the zone of the workspace.' }),
  repeatMinutes: z.int().min(5).max(10_080).nullable().meta({
    description: 'How long after a message the next one about an open alert follows; null: none.',
  }),
  maxCount: z.int().min(1).max(1000).meta({ description: 'Most messages about one alert.' }),
};

/** The target must be one that the condition can be asked of, and somebody must be told. */
export function checkRule(
  rule: {
    readonly condition: { readonly kind: AlertConditionKind };
    readonly target: { readonly kind: AlertTarget['kind'] };
    readonly emails: readonly string[];
    readonly webhook: object | null;
  },
  problem: (path: string[], message: string) => void,
): void {
  const kinds = targetsOf(rule.condition.kind);
  if (!kinds.includes(rule.target.kind))
    problem(['target', 'kind'], `for ${rule.condition.kind} it is one of: ${kinds.join(', ')}`);
  if (rule.emails.length === 0 && rule.webhook === null)
    problem(['emails'], 'give a webhook or at least one address');
}

export const newAlertRuleSchema = z
  .strictObject({
    ...fields,
    enabled: fields.enabled.default(true),
    target: targetSchema.default({ kind: 'all' }),
    webhook: z
      .strictObject({
        url: webhookUrlSchema,
        secret: webhookSecretSchema
          .nullable()
          .default(null)
          .meta({ description: 'Signs the messages: header X-Millrace-Signature.' }),
      })
      .nullable()
      .default(null),
    emails: fields.emails.default([]),
    owner: fields.owner.default(''),
    mute: fields.mute.default(null),
    repeatMinutes: fields.repeatMinutes.default(null),
    maxCount: fields.maxCount.default(3),
  })
  .superRefine((rule, context) =>
    checkRule(rule, (path, message) => context.addIssue({ code: 'custom', path, message })),
  )
  .meta({ id: 'NewAlertRule' });

export const alertRuleChangeSchema = z
  .strictObject({
    ...fields,
    webhook: z
      .strictObject({
        url: webhookUrlSchema.optional().meta({ description: 'Absent: the stored one stays.' }),
        secret: webhookSecretSchema
          .nullable()
          .optional()
          .meta({ description: 'Absent: the stored one stays; null: messages are not signed.' }),
      })
      .nullable()
      .meta({ description: 'null removes it.' }),
  })
  .partial()
  .meta({ id: 'AlertRuleChange' });

const lastDeliverySchema = z
  .object({
    channel: z.enum(['webhook', 'email']),
    status: z.enum(['waiting', 'delivered', 'failed']),
    attempts: z.int(),
    at: instantSchema.nullable(),
    answer: z.string().nullable().meta({ description: 'What the receiver said.' }),
    errorCode: z.string().nullable(),
    errorDetail: z.string().nullable(),
  })
  .meta({ id: 'AlertDelivery' });

export const alertRuleSchema = z
  .object({
    id: z.string(),
    ...fields,
    webhook: z
      .object({
        origin: z.string().meta({ description: 'Scheme and host; the whole address is a secret.' }),
      })
      .nullable(),
    openAlerts: z.int(),
    lastDelivery: lastDeliverySchema.nullable(),
    revision: z.int(),
    createdAt: instantSchema,
    updatedAt: instantSchema,
  })
  .meta({ id: 'AlertRule' });

export const alertTestSchema = z
  .object({
    results: z.array(
      z.object({
        channel: z.enum(['webhook', 'email']),
        status: z.enum(['delivered', 'failed']),
        answer: z.string().nullable(),
        errorCode: z.string().nullable(),
        errorDetail: z.string().nullable(),
        elapsedMs: z.number(),
      }),
    ),
  })
  .meta({ id: 'AlertTest' });

export const alertSchema = z
  .object({
    id: z.string(),
    ruleId: z.string(),
    ruleName: z.string(),
    condition: z.enum(ALERT_CONDITIONS),
    state: z.enum(['open', 'closed']),
    text: z.string(),
    workflowId: z.string().nullable(),
    workflow: z.string().nullable(),
    node: z.string().nullable(),
    resourceGroup: z.string().nullable(),
    backfillId: z.string().nullable(),
    backfill: z.string().nullable().meta({ description: 'Its name.' }),
    timezone: z.string().nullable(),
    bizdate: z.iso.date().nullable(),
    instanceId: z.string().nullable().meta({ description: 'The instance to look at first.' }),
    errorCode: z.string().nullable(),
    instances: z.int().nullable(),
    by: z.string().nullable(),
    since: instantSchema.nullable(),
    firstAt: instantSchema,
    lastAt: instantSchema,
    count: z.int().meta({ description: 'Messages that named it.' }),
    mutedUntil: instantSchema.nullable(),
    closedAt: instantSchema.nullable(),
  })
  .meta({ id: 'Alert' });

export const muteAlertSchema = z
  .strictObject({
    minutes: z.int().min(0).max(10_080).meta({ description: '0 ends it.' }),
  })
  .meta({ id: 'MuteAlert' });

export type NewAlertRuleBody = z.output<typeof newAlertRuleSchema>;
export type AlertRuleChangeBody = z.output<typeof alertRuleChangeSchema>;
