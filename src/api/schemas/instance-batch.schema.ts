import { z } from 'zod';

import { OPERATIONS } from '../../domain/instance/operation.js';
import { EFFECTS } from '../../domain/instance/operation-preview.js';
import { INSTANCE_STATUSES } from '../../domain/instance/status.js';
import { bizdateSchema, instantSchema } from './field.schema.js';
import { problemSchema } from './problem.schema.js';

const MAX_ITEMS = 1000;
const statusSchema = z.enum(INSTANCE_STATUSES);

const idsSchema = z
  .array(z.string().max(100))
  .min(1)
  .max(MAX_ITEMS)
  .refine((ids) => new Set(ids).size === ids.length, 'an id is there twice')
  .meta({ description: 'Instances, in the order in which they are operated on.' });

export const previewRequestSchema = z
  .strictObject({ action: z.enum(OPERATIONS), ids: idsSchema })
  .meta({ id: 'PreviewRequest' });

export const batchRequestSchema = z
  .strictObject({
    action: z.enum(OPERATIONS),
    ids: idsSchema,
    comment: z.string().max(1000).optional(),
  })
  .meta({ id: 'BatchRequest' });

const factsSchema = z.object({
  id: z.string(),
  node: z.string(),
  workflow: z.string(),
  bizdate: bizdateSchema,
  scheduledTime: instantSchema,
  status: statusSchema,
});

const previewItemSchema = z
  .object({
    ...factsSchema.partial().required({ id: true }).shape,
    verdict: z.enum(['will', 'refused', 'nothing']).meta({
      description: 'nothing: it is like that already. All but `id` is absent for an unknown id.',
    }),
    statusAfter: statusSchema.optional().meta({
      description:
        'Right after its own operation. What a worker holds is stopped by its worker later.',
    }),
    frozenAfter: z.boolean().optional(),
    code: z.string().optional(),
    reason: z.string().optional(),
  })
  .meta({ id: 'PreviewItem' });

export const previewSchema = z
  .object({
    items: z.array(previewItemSchema),
    downstream: z
      .array(factsSchema.extend({ effect: z.enum(EFFECTS) }).meta({ id: 'PreviewDownstream' }))
      .meta({ description: 'At most 200, those first that something happens to.' }),
    downstreamTotal: z.int(),
    complete: z
      .boolean()
      .meta({ description: 'false: more lies downstream than a preview looks at.' }),
    totals: z.object({
      will: z.int(),
      refused: z.int(),
      nothing: z.int(),
      downstream: z.record(z.enum(EFFECTS), z.int()),
    }),
  })
  .meta({ id: 'Preview' });

export const batchSchema = z
  .object({
    items: z.array(
      z
        .discriminatedUnion('ok', [
          z.object({
            id: z.string(),
            ok: z.literal(true),
            status: statusSchema,
            frozen: z.boolean(),
          }),
          z.object({ id: z.string(), ok: z.literal(false), problem: problemSchema }),
        ])
        .meta({ id: 'BatchItem' }),
    ),
    ok: z.int().meta({ description: 'How many were done.' }),
    refused: z.int(),
  })
  .meta({ id: 'Batch' });
