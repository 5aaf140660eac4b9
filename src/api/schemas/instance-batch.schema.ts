import { z } from 'zod';

import { OPERATIONS } from '../../domain/instance/operation.js';
import { EFFECTS } from '../../domain/instance/operation-preview.js';
import { INSTANCE_STATUSES } from '../../domain/instance/status.js';
import { bizdateSchema, instantSchema } from './field.schema.js';
import { changeFields, rerunCode, upstreamsSchema } from './instance.schema.js';
import { problemSchema } from './problem.schema.js';

const MAX_ITEMS = 1000;
const statusSchema = z.enum(INSTANCE_STATUSES);

const idsSchema = z
  .array(z.string().max(100))
  .min(1)
  .max(MAX_ITEMS)
  .refine((ids) => new Set(ids).size === ids.length, 'an id is there twice')
  .meta({ description: 'Instances, in the order in which they are operated on.' });

const asked = {
  action: z.enum(OPERATIONS),
  ids: idsSchema,
  upstream: upstreamsSchema
    .optional()
    .meta({ description: 'Of unlink: what they wait for no more.' }),
  ...changeFields,
  code: rerunCode,
};

/** An action has what it needs, and nothing that another one needs. */
function isWhole({ action, upstream, priority, resourceGroup, code }: Asked): boolean {
  const isChange = priority !== undefined || resourceGroup !== undefined;
  return (
    (upstream !== undefined) === (action === 'unlink') &&
    isChange === (action === 'change') &&
    (code === undefined || RERUNS.includes(action))
  );
}
type Asked = z.output<z.ZodObject<typeof asked>>;
const RERUNS: readonly Asked['action'][] = ['rerun', 'rerun-from-here', 'rerun-downstream'];
const INCOMPLETE =
  'unlink takes `upstream`; change takes `priority`, `resourceGroup` or both; others neither; reruns that are not forced may take `code`';

export const previewRequestSchema = z
  .strictObject(asked)
  .refine(isWhole, INCOMPLETE)
  .meta({ id: 'PreviewRequest' });

export const batchRequestSchema = z
  .strictObject({ ...asked, comment: z.string().max(1000).optional() })
  .refine(isWhole, INCOMPLETE)
  .meta({ id: 'BatchRequest' });

const factsSchema = z.object({
  id: z.string(),
  node: z.string(),
  workflow: z.string(),
  bizdate: bizdateSchema,
  scheduledTime: instantSchema,
  status: statusSchema,
});

const doublesSchema = z.literal(true).optional().meta({
  description: 'It has run and appends: what it wrote stays, and comes a second time.',
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
    doubles: doublesSchema,
    code: z.string().optional(),
    reason: z.string().optional(),
  })
  .meta({ id: 'PreviewItem' });

export const previewSchema = z
  .object({
    items: z.array(previewItemSchema),
    downstream: z
      .array(
        factsSchema
          .extend({ effect: z.enum(EFFECTS), doubles: doublesSchema })
          .meta({ id: 'PreviewDownstream' }),
      )
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
      workflows: z
        .array(z.object({ workflow: z.string(), instances: z.int() }))
        .meta({ description: 'What is done or runs again with it, by workflow, the most first.' }),
      doubles: z.int().meta({ description: 'How many of them append what they have written.' }),
      changedCode: z.int().meta({
        description:
          'How many of those that run again were planned with other code or configuration than the latest.',
      }),
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
    along: z
      .int()
      .optional()
      .meta({ description: 'Of a wide rerun: how many downstream instances run again with them.' }),
  })
  .meta({ id: 'Batch' });
