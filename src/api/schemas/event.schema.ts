import { z } from 'zod';

import { instantSchema } from './field.schema.js';

const eventSchema = z
  .object({
    seq: z.int(),
    type: z.string(),
    at: instantSchema,
    instance: z.string().nullable(),
    payload: z.unknown(),
  })
  .meta({ id: 'Event' });

/** Every event of the workspace with `after` < seq <= `seq`; the next frame's `after` is this one's `seq`. */
export const eventPageSchema = z
  .object({
    after: z.int(),
    seq: z.int(),
    reset: z.boolean().meta({ description: 'Older events are gone: load the lists again.' }),
    events: z.array(eventSchema),
  })
  .meta({ id: 'EventPage' });
