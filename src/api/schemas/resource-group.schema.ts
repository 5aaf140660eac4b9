import { z } from 'zod';

import { WORKER_STATES } from '../../store/repositories/worker-repository.js';
import { instantSchema } from './field.schema.js';

const MAX_SLOTS = 100_000;
const placeSchema = z.string().max(200);
const slotsSchema = z.int().min(0).max(MAX_SLOTS);
const descriptionSchema = z.string().max(500);

const shareSchema = z
  .int()
  .min(1)
  .max(100)
  .meta({ description: 'Percent of its slots that backfills may use; always one instance.' });

const schedulingSlotsSchema = slotsSchema.meta({
  description:
    'How many instances of nodes that name it as their schedulingGroup run at once, in whichever group; beside its own slots.',
});

export const newResourceGroupSchema = z
  .strictObject({
    name: z
      .string()
      .regex(
        /^[A-Za-z][A-Za-z0-9_-]{0,62}$/,
        'begins with a letter; then letters, digits, _ and -',
      ),
    description: descriptionSchema.default(''),
    slots: slotsSchema,
    backfillShare: shareSchema.default(50),
    schedulingSlots: schedulingSlotsSchema.optional(),
    region: placeSchema.default(''),
    networkType: placeSchema.default(''),
    cidr: placeSchema.default(''),
  })
  .meta({ id: 'NewResourceGroup' });

export const resourceGroupChangeSchema = z
  .strictObject({
    description: descriptionSchema.optional(),
    slots: slotsSchema.optional(),
    backfillShare: shareSchema.optional(),
    schedulingSlots: schedulingSlotsSchema.optional(),
    draining: z.boolean().optional().meta({
      description: 'Its workers get nothing new and finish what they have; false undoes it.',
    }),
    quotas: z.record(z.string(), slotsSchema.nullable()).optional().meta({
      description:
        'At most so many slots at once by node type; null removes one, types that are not named stay.',
    }),
    region: placeSchema.optional(),
    networkType: placeSchema.optional(),
    cidr: placeSchema.optional(),
  })
  .meta({ id: 'ResourceGroupChange' });

export const workerSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    resourceGroup: z.string(),
    state: z.enum(WORKER_STATES).meta({
      description:
        '`lost`: its lease ended without a goodbye; such a worker is listed for an hour.',
    }),
    draining: z.boolean(),
    startedAt: instantSchema,
    capacity: z.int().meta({ description: 'How many attempts it runs at once.' }),
    running: z.int().meta({ description: 'How many attempts it has now.' }),
    labels: z.array(z.string()),
    nodeTypes: z.array(z.string()),
    plugins: z.unknown(),
    addresses: z.array(z.string()),
  })
  .meta({ id: 'Worker' });

export const workerChangeSchema = z
  .strictObject({
    draining: z.boolean().meta({
      description: 'It gets nothing new and finishes what it has; false undoes it.',
    }),
  })
  .meta({ id: 'WorkerChange' });

export const resourceGroupSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    description: z.string(),
    slots: z.int(),
    slotsUsed: z.int(),
    backfillShare: shareSchema,
    draining: z.boolean(),
    quotas: z
      .record(z.string(), z.int())
      .meta({ description: 'At most so many slots at once by node type.' }),
    waiting: z.int().meta({
      description: 'Instances that could start but for a worker, a slot or a gate.',
    }),
    oldestWaitSeconds: z
      .int()
      .nullable()
      .meta({ description: 'How long the one waits that has waited longest; null: none does.' }),
    schedulingSlots: z
      .int()
      .nullable()
      .meta({ description: 'null: no node can name it as its schedulingGroup yet.' }),
    schedulingSlotsUsed: z.int(),
    schedulingWaiting: z
      .int()
      .meta({ description: 'Instances, also of other groups, that wait for one of them.' }),
    region: z.string(),
    networkType: z.string(),
    cidr: z.string(),
    addresses: z
      .array(z.string())
      .meta({ description: 'Its workers reach out from these: put them on the allow-list.' }),
    workers: z.array(workerSchema),
  })
  .meta({ id: 'ResourceGroup' });
