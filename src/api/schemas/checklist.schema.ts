import { z } from 'zod';

import { instantSchema } from './field.schema.js';

export const CHECKLIST_KEYS = [
  'runSample',
  'openTimeline',
  'fixFailure',
  'connectSource',
  'backfill',
] as const;

export const checklistSchema = z
  .object({
    dismissed: z.boolean(),
    items: z.array(
      z.object({
        key: z.enum(CHECKLIST_KEYS),
        done: z.boolean(),
        doneAt: instantSchema.nullable(),
        target: z
          .object({
            workflow: z.string(),
            run: z.string(),
            instance: z.string(),
            dataSource: z.string(),
            backfill: z.string(),
          })
          .partial()
          .meta({ description: 'Ids of what the step is about, as far as they are there.' }),
      }),
    ),
  })
  .meta({ id: 'Checklist' });
