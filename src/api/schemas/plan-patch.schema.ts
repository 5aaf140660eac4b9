import { z } from 'zod';

import { PATCH_CHANGES } from '../../scheduler/patch/plan-patch.js';
import { bizdateSchema, instantSchema } from './field.schema.js';

const instanceSchema = z
  .object({
    workflow: z.string(),
    node: z.string(),
    bizdate: bizdateSchema,
    scheduledTime: instantSchema,
  })
  .meta({ id: 'PatchedInstance' });

export const planPatchSchema = z
  .object({
    workflow: z.string(),
    timezone: z.string(),
    bizdate: bizdateSchema.meta({ description: 'Of the plan that is patched.' }),
    state: z.enum(['planned', 'sealed']),
    version: z.int().meta({ description: 'The latest version of the workflow.' }),
    revision: z.int().meta({ description: 'Of the plan before the patch.' }),
    totals: z.object({
      added: z.int(),
      replaced: z.int(),
      cancelled: z.int(),
      isolated: z.int(),
      kept: z.int().meta({ description: 'Of the workflow: they stay as they are.' }),
    }),
    added: z.array(instanceSchema).meta({
      description: 'At most 500, the first ones, as in the other lists; `totals` has the numbers.',
    }),
    replaced: z
      .array(
        instanceSchema
          .extend({ changes: z.array(z.enum(PATCH_CHANGES)) })
          .meta({ id: 'ReplacedInstance' }),
      )
      .meta({ description: 'The same cycle with something else, under the same id.' }),
    cancelled: z.array(instanceSchema).meta({ description: 'Taken out of the plan.' }),
    isolated: z
      .array(
        instanceSchema
          .extend({ upstream: z.string().meta({ description: 'workflow/node' }) })
          .meta({ id: 'IsolatedInstance' }),
      )
      .meta({
        description:
          'They would not wait for an upstream that their version names, because it has no cycle in the plan.',
      }),
  })
  .meta({ id: 'PlanPatch' });

export const planPatchPreviewSchema = planPatchSchema
  .extend({ planToken: z.string().meta({ description: 'Send it with the patch.' }) })
  .meta({ id: 'PlanPatchPreview' });

export const planPatchRequestSchema = z
  .strictObject({
    planToken: z.string().max(4000).meta({
      description: 'Of the preview: MR-S173 with the difference when the world is another.',
    }),
  })
  .meta({ id: 'PlanPatchRequest' });
