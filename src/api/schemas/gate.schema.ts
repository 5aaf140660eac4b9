import { z } from 'zod';

import { GATE_SCOPES } from '../../store/repositories/gate-repository.js';

const MAX_CAPACITY = 100_000;

const capacitySchema = z.int().min(0).max(MAX_CAPACITY).meta({
  description: 'How many instances it lets through at once; 0 shuts it.',
});

const workflow = z.string().min(1);

export const newGateSchema = z
  .discriminatedUnion('scope', [
    z.strictObject({
      scope: z.literal('node'),
      workflow,
      node: z.string().min(1),
      capacity: capacitySchema,
    }),
    z.strictObject({ scope: z.literal('workflow'), workflow, capacity: capacitySchema }),
    z.strictObject({
      scope: z.literal('data_source'),
      dataSource: z.string().min(1),
      capacity: capacitySchema,
    }),
  ])
  .meta({ id: 'NewGate' });

export const gateChangeSchema = z
  .strictObject({ capacity: capacitySchema })
  .meta({ id: 'GateChange' });

export const gateSchema = z
  .object({
    id: z.string(),
    scope: z.enum(GATE_SCOPES),
    workflow: z.string().nullable(),
    node: z.string().nullable(),
    dataSource: z.string().nullable(),
    capacity: capacitySchema,
    running: z.int().meta({ description: 'Instances that have gone through and still run.' }),
    waiting: z.int().meta({ description: 'Instances that wait before it.' }),
    holders: z
      .array(z.string())
      .meta({ description: 'Up to 20 of the running ones, those that have run longest.' }),
  })
  .meta({ id: 'Gate' });
