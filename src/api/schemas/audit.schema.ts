import { z } from 'zod';

import { instantSchema } from './field.schema.js';

export const auditEntrySchema = z
  .object({
    at: instantSchema,
    user: z.string().nullable(),
    action: z.string(),
    target: z.string().meta({ description: 'Id or name of what was changed.' }),
    fields: z.array(z.string()).meta({
      description: 'What was sent, by name. The audit keeps no values: they may be credentials.',
    }),
    comment: z.string().nullable(),
  })
  .meta({ id: 'AuditEntry' });
