import { z } from 'zod';

import { SUBMIT_PLANS } from '../../scheduler/submit-plan.js';
import { bizdateSchema, instantSchema } from './field.schema.js';
import { planPatchSchema } from './plan-patch.schema.js';

const nameSchema = z
  .string()
  .regex(/^[^/\p{Cc}]{1,128}$/u, '1 to 128 characters, no slash and no control character');

const draftSchema = z.record(z.string(), z.unknown()).meta({
  description: 'Nodes, edges and schedule; checked when it is submitted.',
});

export const newWorkflowSchema = z
  .strictObject({
    name: nameSchema,
    description: z.string().max(1000).default(''),
    draft: draftSchema.default({}),
  })
  .meta({ id: 'NewWorkflow' });

export const workflowChangeSchema = z
  .strictObject({
    name: nameSchema.optional(),
    description: z.string().max(1000).optional(),
    draft: draftSchema.optional(),
    scheduled: z.boolean().optional(),
  })
  .meta({ id: 'WorkflowChange' });

export const workflowSummarySchema = z
  .object({
    id: z.string(),
    name: z.string(),
    description: z.string(),
    revision: z.int(),
    scheduled: z
      .boolean()
      .meta({ description: 'Whether it is planned daily; never before its first submit.' }),
    latestVersion: z.int().nullable(),
    createdAt: instantSchema,
    updatedAt: instantSchema,
  })
  .meta({ id: 'WorkflowSummary' });

export const workflowSchema = workflowSummarySchema
  .extend({ draft: draftSchema })
  .meta({ id: 'Workflow' });

export const submitSchema = z
  .strictObject({
    comment: z.string().max(1000).default(''),
    plan: z.enum(SUBMIT_PLANS).default('next-day').meta({
      description:
        'From when on it is planned: with the next day that is not planned yet, not before the day after tomorrow, or also in the plans that are made, as far as they are still to come.',
    }),
    allowIsolated: z.boolean().default(false).meta({
      description:
        'With `immediately`: also where instances would not wait for an upstream that they need (MR-S174).',
    }),
  })
  .prefault({})
  .meta({ id: 'Submit' });

export const submittedSchema = z
  .object({
    versionId: z.string(),
    version: z.int(),
    firstBizdate: bizdateSchema.meta({
      description: 'The first business date that is planned by it.',
    }),
    plannedWithout: bizdateSchema.nullable().meta({
      description:
        'The last business date that is planned without it, though its time is still to come: `preview-plan` and `patch-plan` can change that.',
    }),
    patched: z
      .array(planPatchSchema)
      .meta({ description: 'Plans that were made already, the newest first; with `immediately`.' }),
  })
  .meta({ id: 'Submitted' });

export const submitPreviewRequestSchema = z
  .strictObject({
    workflow: nameSchema.meta({ description: 'Its name; with a draft it need not be there yet.' }),
    draft: draftSchema.optional().meta({ description: 'Instead of the saved one.' }),
    plan: submitSchema.unwrap().shape.plan,
  })
  .meta({ id: 'SubmitPreviewRequest' });

export const submitPreviewSchema = submittedSchema
  .omit({ versionId: true })
  .meta({ id: 'SubmitPreview' });

export const versionSchema = z
  .object({
    id: z.string(),
    version: z.int(),
    firstBizdate: bizdateSchema,
    timezone: z.string(),
    comment: z.string(),
    submittedAt: instantSchema,
    submittedBy: z.string().nullable(),
    spec: z.unknown(),
  })
  .meta({ id: 'WorkflowVersion' });

export const newRunSchema = z
  .strictObject({
    bizdate: bizdateSchema,
    parameters: z
      .record(z.string(), z.string())
      .default({})
      .meta({ description: 'Values that replace declared ones; other names are refused.' }),
    allowFuture: z
      .boolean()
      .default(false)
      .meta({ description: 'Take a business date that is not over yet.' }),
  })
  .meta({ id: 'NewRun' });

export const startedRunSchema = z
  .object({ id: z.string(), runGroup: z.string() })
  .meta({ id: 'StartedRun' });
