import { z } from 'zod';

import { MAX_BACKFILL_DATES, MAX_BACKFILL_RANGES } from '../../domain/backfill/backfill-dates.js';
import {
  BACKFILL_ONLY,
  BACKFILL_ORDERS,
  MISSING_REASONS,
} from '../../domain/backfill/backfill-request.js';
import { INSTANCE_STATUSES } from '../../domain/instance/status.js';
import { MAX_PRIORITY } from '../../domain/resource/rank-of.js';
import { bizdateSchema, instantSchema } from './field.schema.js';

const MAX_PARALLELISM = 50;
const MAX_NODES = 2000;
/** Room for the versions of a thousand workflows. */
const MAX_TOKEN = 32_000;

const clockSchema = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'HH:MM')
  .meta({ example: '22:30' });
/** Room for `workflow/node`. */
const nodeNameSchema = z.string().max(192);
const nodeNamesSchema = z.array(nodeNameSchema).min(1).max(MAX_NODES);
const acrossWorkflows = z.boolean().optional().meta({
  description: 'Follow edges into other workflows of the workspace too, if those are scheduled.',
});
const parallelismSchema = z
  .int()
  .min(1)
  .max(MAX_PARALLELISM)
  .meta({ description: 'How many business dates are open at once.' });

const scopeSchema = z
  .discriminatedUnion('mode', [
    z.strictObject({ mode: z.literal('workflow') }),
    z.strictObject({ mode: z.literal('nodes'), nodes: nodeNamesSchema }),
    z.strictObject({ mode: z.literal('downstream'), nodes: nodeNamesSchema, acrossWorkflows }),
    z.strictObject({
      mode: z.literal('chain'),
      from: nodeNamesSchema,
      to: nodeNamesSchema,
      acrossWorkflows,
    }),
  ])
  .meta({
    id: 'BackfillScope',
    description:
      'Which nodes run. downstream: these and all below them; chain: all between start and end nodes. What is left out between two of them is a dry run. A node of another workflow of the workspace is named `workflow/node`.',
  });

const requestShape = {
  workflow: z.string().meta({ description: 'Name or id of the workflow.' }),
  ranges: z
    .array(
      z
        .strictObject({ from: bizdateSchema, to: bizdateSchema })
        .refine(({ from, to }) => from <= to, { path: ['to'], message: 'is before `from`' }),
    )
    .max(MAX_BACKFILL_RANGES)
    .default([]),
  dates: z.array(bizdateSchema).max(MAX_BACKFILL_DATES).default([]),
  from: bizdateSchema
    .optional()
    .meta({ description: 'With `to`: one range, instead of `ranges`.' }),
  to: bizdateSchema.optional(),
  order: z.enum(BACKFILL_ORDERS).default('asc'),
  parallelism: parallelismSchema.default(1),
  scope: scopeSchema.default({ mode: 'workflow' }),
  include: z.array(nodeNameSchema).max(MAX_NODES).default([]),
  exclude: z.array(nodeNameSchema).max(MAX_NODES).default([]),
  only: z.enum(BACKFILL_ONLY).default('all').meta({
    description:
      'missing: partitions that nobody is known to have written, of nodes without declared outputs cycles that never succeeded; failed: cycles whose last instance failed or was cancelled.',
  }),
  checkSource: z.boolean().default(false).meta({
    description:
      'With `only: missing`: what is recorded is also looked for at its data source, by workers of the resource group in which the node runs, and is missing where it has gone. What cannot be looked for is named in the plan and left out; without a plan token it is not started (MR-S210).',
  }),
  hours: z
    .strictObject({ from: clockSchema, to: clockSchema })
    .refine(({ from, to }) => from <= to, { path: ['to'], message: 'is before `from`' })
    .optional()
    .meta({ description: 'Of nodes with several cycles a day, those within, both included.' }),
  window: z
    .strictObject({ from: clockSchema, to: clockSchema })
    .refine(({ from, to }) => from !== to, { path: ['to'], message: 'is `from`' })
    .optional()
    .meta({
      description:
        'Instances are handed to workers only within, in the zone of the workflow, also over midnight.',
    }),
  runFutureNow: z
    .boolean()
    .default(false)
    .meta({ description: 'Do not wait for scheduled times that are still to come.' }),
  resourceGroup: z.string().max(128).optional(),
  priority: z.int().min(1).max(MAX_PRIORITY).optional(),
  parameters: z
    .record(z.string(), z.string())
    .default({})
    .meta({ description: 'Values that replace declared ones; other names are refused.' }),
};

interface Asked {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly ranges: readonly unknown[];
  readonly dates: readonly unknown[];
  readonly only: string;
  readonly checkSource: boolean;
}

function checkAsked(body: Asked, ctx: z.RefinementCtx): void {
  const issue = (path: string, message: string): void =>
    ctx.addIssue({ code: 'custom', path: [path], message, input: body });
  const { from, to, ranges, dates, only, checkSource } = body;
  if (checkSource && only !== 'missing') issue('checkSource', 'goes with `only: missing`');
  if ((from === undefined) !== (to === undefined))
    issue(from === undefined ? 'from' : 'to', '`from` and `to` come together');
  if (from !== undefined && to !== undefined && from > to) issue('to', 'is before `from`');
  if (from !== undefined && ranges.length > 0)
    issue('ranges', 'either `from` and `to`, or `ranges`');
  if (from === undefined && ranges.length + dates.length === 0)
    issue('ranges', 'no business date is asked for');
}

export const backfillPlanRequestSchema = z
  .strictObject(requestShape)
  .superRefine(checkAsked)
  .meta({ id: 'BackfillPlanRequest' });

export const newBackfillSchema = z
  .strictObject({
    ...requestShape,
    name: z.string().min(1).max(128),
    planToken: z.string().max(MAX_TOKEN).optional().meta({
      description: 'Of a plan: the backfill is refused when what the plan saw has changed.',
    }),
  })
  .superRefine(checkAsked)
  .meta({ id: 'NewBackfill' });

export const startedBackfillSchema = z
  .object({
    id: z.string(),
    instances: z
      .int()
      .meta({ description: 'Accepted; `made` of the backfill says how far it is.' }),
    bizdates: z.int(),
  })
  .meta({ id: 'StartedBackfill' });

const countsSchema = z.array(z.int());

const missingSchema = z
  .object({
    counts: z
      .object({ noRecord: z.int(), goneAtSource: z.int(), unchecked: z.int() })
      .meta({ description: 'Cycles; those that are unchecked do not run.' }),
    cycles: z
      .array(
        z.object({
          node: z.string(),
          bizdate: bizdateSchema,
          scheduledTime: instantSchema,
          reason: z.enum(MISSING_REASONS),
          dataSource: z.string().nullable(),
          table: z.string().nullable(),
          partition: z.string().nullable(),
        }),
      )
      .meta({
        description:
          'no_record: nobody is known to have written its output or, where the node declares none, to have run it; gone_at_source: the output was written and is not at its data source any more; unchecked: there is a record, and nobody could look. What has gone comes first, then what is unchecked; at most 200.',
      }),
    uncheckedTables: z
      .array(
        z.object({
          resourceGroup: z.string(),
          dataSource: z.string(),
          table: z.string(),
          partitions: z.int(),
          code: z.string(),
          detail: z.string(),
        }),
      )
      .meta({ description: 'What could not be looked at, and why.' }),
  })
  .meta({ id: 'BackfillMissing' });

export const backfillPlanSchema = z
  .object({
    version: z.int().meta({ description: 'Of the workflow.' }),
    workflows: z
      .array(z.object({ name: z.string(), version: z.int(), timezone: z.string() }))
      .meta({ description: 'All that take part, the one that is asked for first.' }),
    order: z.enum(BACKFILL_ORDERS).meta({
      description: 'asc also where desc was asked for, if a node depends on its previous cycle.',
    }),
    nodes: z
      .array(
        z.object({
          name: z.string().meta({
            description: '`workflow/node` unless it is of the workflow that is asked for.',
          }),
          workflow: z.string(),
          role: z.enum(['run', 'dry_run']),
          reason: z.enum(['left_out', 'backfill_forbidden']).nullable().meta({
            description:
              'Why all of its cycles are dry runs. left_out: it was not asked for and others need it; backfill_forbidden: no backfill may run it.',
          }),
        }),
      )
      .meta({ description: 'Upstream first.' }),
    dates: z
      .array(
        z
          .object({
            bizdate: bizdateSchema,
            run: countsSchema,
            dryRun: countsSchema,
            leftOut: countsSchema,
            conflicts: countsSchema,
          })
          .meta({ id: 'BackfillPlanDate' }),
      )
      .meta({
        description: 'In the order in which they are opened; counts in the order of `nodes`.',
      }),
    totals: z.object({
      dates: z.int(),
      run: z.int(),
      dryRun: z.int(),
      leftOut: z.int(),
      conflicts: z.int(),
    }),
    conflicts: z
      .array(
        z.object({
          id: z.string(),
          node: z.string(),
          scheduledTime: instantSchema,
          status: z.enum(INSTANCE_STATUSES),
          runGroup: z.string(),
          runGroupKind: z.string(),
        }),
      )
      .meta({
        description:
          'What lives of the same node and scheduled time in other run groups: the later one waits. At most 200.',
      }),
    choices: z
      .array(
        z.object({
          node: z.string(),
          bizdate: bizdateSchema,
          id: z.string(),
          scheduledTime: instantSchema,
          status: z.enum(INSTANCE_STATUSES),
          runGroup: z.string(),
        }),
      )
      .meta({ description: 'The previous cycle that the first cycle of a node waits for.' }),
    missing: missingSchema.nullable().meta({
      description: 'Why cycles run; null unless `only: missing` was asked for.',
    }),
    estimateMs: z.int().nullable().meta({
      description: 'At least, from the durations of past successes; null without any.',
    }),
    unknownNodes: z.int().meta({ description: 'Nodes that have not succeeded yet.' }),
    planToken: z.string(),
  })
  .meta({ id: 'BackfillPlan' });

const stateSchema = z.enum(['running', 'paused', 'cancelling', 'cancelled', 'ended']);
const dateStateSchema = z.enum(['waiting', 'open', 'done', 'skipped', 'cancelled']);
const statusesSchema = z.record(z.string(), z.int()).meta({ description: 'Instances by status.' });

const backfillFields = {
  id: z.string(),
  name: z.string(),
  workflows: z
    .array(z.string())
    .meta({ description: 'All that take part, the one that was asked for first.' }),
  spec: z.unknown(),
  planDay: z.iso.date(),
  createdAt: instantSchema,
  createdBy: z.string().nullable(),
  state: stateSchema,
  parallelism: z.int(),
  endedAt: instantSchema.nullable(),
  statuses: statusesSchema,
  dates: z
    .partialRecord(dateStateSchema, z.int())
    .meta({ description: 'Business dates by state.' }),
  made: z.int().meta({
    description:
      'Business dates whose instances are made; those of a large backfill follow one another.',
  }),
  problem: z
    .object({ code: z.string(), detail: z.string() })
    .nullable()
    .meta({ description: 'Why it was paused while it was made; resume it once that is mended.' }),
};

export const backfillSchema = z.object(backfillFields).meta({ id: 'Backfill' });

export const backfillDetailSchema = z
  .object({
    ...backfillFields,
    bizdates: z.array(
      z
        .object({
          bizdate: bizdateSchema,
          state: dateStateSchema,
          openedAt: instantSchema.nullable(),
          endedAt: instantSchema.nullable(),
          statuses: statusesSchema,
        })
        .meta({ id: 'BackfillDate' }),
    ),
  })
  .meta({ id: 'BackfillDetail' });

export const backfillChangeSchema = z
  .strictObject({ parallelism: parallelismSchema })
  .meta({ id: 'BackfillChange' });

export const backfillSkipSchema = z
  .strictObject({ bizdates: z.array(bizdateSchema).min(1).max(MAX_BACKFILL_DATES) })
  .meta({ id: 'BackfillSkip' });

export const backfillControlledSchema = z
  .object({
    state: stateSchema,
    parallelism: z.int(),
    retried: z.int().meta({ description: 'Failed instances that were started again.' }),
    refused: z.int().meta({ description: 'Failed instances whose rerun mode forbids it.' }),
  })
  .meta({ id: 'BackfillControlled' });
