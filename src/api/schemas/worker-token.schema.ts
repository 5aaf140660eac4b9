import { z } from 'zod';

import { instantSchema } from './field.schema.js';

export const newWorkerTokenSchema = z
  .strictObject({
    resourceGroup: z.string().min(1).meta({ description: 'Whose instances its workers get.' }),
    name: z
      .string()
      .regex(
        /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/,
        'begins with a letter or digit; then letters, digits, _, . and -',
      )
      .meta({ description: 'To know it by, as the machine it is for.' }),
  })
  .meta({ id: 'NewWorkerToken' });

export const workerTokenSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    resourceGroup: z.string(),
    createdAt: instantSchema,
    revokedAt: instantSchema.nullable(),
  })
  .meta({ id: 'WorkerToken' });

export const madeWorkerTokenSchema = workerTokenSchema
  .extend({
    token: z.string().meta({ description: 'Told this once; the store keeps a hash of it.' }),
  })
  .meta({ id: 'MadeWorkerToken' });
