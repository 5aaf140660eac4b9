import { z } from 'zod';

import { INSTANCE_STATUSES } from '../../domain/instance/status.js';
import { VISIBLE_STATES } from '../../domain/instance/visible-state.js';
import { bizdateSchema, instantSchema } from './field.schema.js';

const countsSchema = z.partialRecord(z.enum(VISIBLE_STATES), z.int()).meta({
  id: 'StateCounts',
  description: 'Instances by visible state; states of none are absent.',
});

const removedSchema = z.boolean().meta({
  description: 'Its instances were removed after their time (MR-S207): nothing is counted.',
});

const dayInstanceSchema = z
  .object({
    id: z.string(),
    node: z.string(),
    workflow: z.string(),
    status: z.enum(INSTANCE_STATUSES),
    at: instantSchema.nullable(),
  })
  .meta({ id: 'DayInstance' });

export const daySchema = z
  .object({
    bizdate: bizdateSchema,
    runDate: bizdateSchema.meta({ description: 'The local day on which it runs: the day after.' }),
    timezone: z.string(),
    now: instantSchema.meta({ description: 'The clock of the database.' }),
    removed: removedSchema,
    counts: countsSchema,
    total: z.int(),
    done: z.int().meta({ description: 'In a final state: succeeded, failed or cancelled.' }),
    nextDue: z
      .array(dayInstanceSchema)
      .meta({ description: 'May start within two hours, of any business date; `at` is when.' }),
    running: z.array(dayInstanceSchema).meta({ description: '`at` is when it started.' }),
    failed: z.array(
      dayInstanceSchema
        .omit({ at: true })
        .extend({
          code: z.string().nullable(),
          detail: z.string().nullable(),
          endedAt: instantSchema.nullable(),
        })
        .meta({ id: 'FailedInstance' }),
    ),
    late: z.int().meta({
      description:
        'Not started 5 minutes after they might, or running longer than 95 of 100 of the last 20.',
    }),
    rowsWritten: z.int().meta({ description: 'By sync nodes.' }),
    plan: z
      .object({
        state: z.enum(['planned', 'sealed']),
        plannedAt: instantSchema,
        instances: z.int(),
      })
      .nullable()
      .meta({ description: 'null: no daily plan was made for it.' }),
    lastBizdates: z
      .array(z.object({ bizdate: bizdateSchema, removed: removedSchema, counts: countsSchema }))
      .meta({ description: 'Seven business dates up to this one, the oldest first.' }),
  })
  .meta({ id: 'Day' });

export const dayQuerySchema = z.strictObject({
  bizdate: bizdateSchema.optional().meta({
    description:
      'Unless given, the latest one that is over and has instances, or had some where all were removed.',
  }),
});
