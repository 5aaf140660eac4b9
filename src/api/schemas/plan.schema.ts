import { z } from 'zod';

import { SIZE_JUMPS } from '../../domain/plan/size-jump.js';
import { bizdateSchema, instantSchema } from './field.schema.js';

export const planSchema = z
  .object({
    timezone: z.string(),
    bizdate: bizdateSchema,
    state: z.enum(['planned', 'sealed']),
    revision: z
      .int()
      .meta({ description: '0 until it is made to its end, then 1; each patch adds one.' }),
    instances: z.int(),
    edges: z.int(),
    usualInstances: z.int().nullable().meta({
      description: 'The median of up to seven plans before it; null: there were fewer than three.',
    }),
    sizeJump: z.enum(SIZE_JUMPS).nullable().meta({
      description: 'It was made with far more or fewer instances than are usual.',
    }),
    checksum: z.string().nullable().meta({
      description:
        'Of a sealed plan: nodes, versions, times and parameters of its instances, and the edges between them. What happens to instances later does not change it, a patch does.',
    }),
    plannedAt: instantSchema,
    sealedAt: instantSchema.nullable(),
  })
  .meta({ id: 'Plan' });

export const planDetailSchema = planSchema
  .extend({
    workflows: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        version: z.int().meta({ description: 'The version that was planned.' }),
        instances: z.int(),
      }),
    ),
  })
  .meta({ id: 'PlanDetail' });

export const planQuerySchema = z.strictObject({
  timezone: z.string().max(64).optional().meta({
    description: 'Zone of the workflows that it is of; the workspace’s without it.',
  }),
});
