import { z } from 'zod';

import { problemSchema } from './problem.schema.js';

export const nodeSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    type: z.string(),
    frozen: z.boolean().meta({ description: 'What is planned of it is frozen.' }),
    scheduleType: z
      .enum(['normal', 'frozen', 'dry_run'])
      .meta({ description: 'As the latest version says; frozen keeps what is planned frozen.' }),
  })
  .meta({ id: 'Node' });

export const freezeNodeSchema = z
  .strictObject({
    instances: z
      .boolean()
      .default(false)
      .meta({ description: 'Also what is planned already and has not started.' }),
    comment: z.string().max(1000).optional(),
  })
  .prefault({})
  .meta({ id: 'FreezeNode' });

export const nodeFrozenSchema = z
  .object({
    node: z.string(),
    frozen: z.boolean(),
    instances: z.int().meta({ description: 'How many instances were frozen or thawed with it.' }),
    scheduleType: nodeSchema.shape.scheduleType,
  })
  .meta({ id: 'NodeFrozen' });

const frozenFields = {
  frozen: z.boolean().default(true).meta({ description: 'false: they are unfrozen.' }),
  nodes: z
    .array(z.string().max(100))
    .min(1)
    .max(1000)
    .refine((names) => new Set(names).size === names.length, 'a node is there twice'),
  instances: freezeNodeSchema.unwrap().shape.instances,
};

export const freezeNodesPreviewRequestSchema = z
  .strictObject(frozenFields)
  .meta({ id: 'FreezeNodesPreviewRequest' });

export const freezeNodesSchema = z
  .strictObject({ ...frozenFields, comment: freezeNodeSchema.unwrap().shape.comment })
  .meta({ id: 'FreezeNodes' });

/** Of nodes one by one: `problem` of those that were refused, the rest of all others. */
const itemsOf = <S extends z.ZodObject>(
  done: S,
): z.ZodObject<{ items: z.ZodArray<z.ZodUnion<[S, typeof refusedNodeSchema]>> }> =>
  z.object({ items: z.array(z.union([done, refusedNodeSchema])) });
const refusedNodeSchema = z
  .object({ node: z.string(), problem: problemSchema })
  .meta({ id: 'RefusedNode' });

export const nodesFrozenSchema = itemsOf(nodeFrozenSchema).meta({ id: 'NodesFrozen' });

export const nodeFreezePreviewRequestSchema = z
  .strictObject({
    frozen: z.boolean().default(true).meta({ description: 'false: it would be unfrozen.' }),
    instances: freezeNodeSchema.unwrap().shape.instances,
  })
  .prefault({})
  .meta({ id: 'NodeFreezePreviewRequest' });

export const nodeFreezePreviewSchema = nodeFrozenSchema
  .extend({
    ids: z.array(z.string()).meta({
      description: 'The first thousand of those instances; `instances/preview` tells more of them.',
    }),
  })
  .meta({ id: 'NodeFreezePreview' });

export const nodesFreezePreviewSchema = itemsOf(nodeFreezePreviewSchema).meta({
  id: 'NodesFreezePreview',
});
