import { z } from 'zod';

import { scheduleSpec } from '../../scheduler/schedule-spec.js';
import { PARAMETER_LEVELS } from '../commands.js';
import { bizdateSchema, instantSchema } from './field.schema.js';

const MAX_COUNT = 50;
const DEFAULT_COUNT = 10;

const fromSchema = bizdateSchema
  .optional()
  .meta({ description: 'From its first cycle on; from now on without it.' });
const countDescription = 'Instances of each node.';

export const schedulePreviewRequestSchema = z
  .strictObject({
    schedule: scheduleSpec.prefault({}),
    timezone: z.string().optional().meta({ description: 'IANA name; the workspace’s without it.' }),
    bizdate: fromSchema,
    count: z.int().min(1).max(MAX_COUNT).default(DEFAULT_COUNT),
  })
  .meta({ id: 'SchedulePreviewRequest' });

const cycleFields = {
  bizdate: bizdateSchema,
  periodNo: z.int().meta({ description: '1 for the first of the day.' }),
  scheduledTime: instantSchema,
  localTime: z
    .string()
    .meta({ description: 'The wall clock of the schedule’s zone, YYYY-MM-DD HH:MM:SS.' }),
  fold: z
    .union([z.literal(0), z.literal(1)])
    .meta({ description: '1 for the second of two that read the same.' }),
  dryRun: z
    .enum(['off_day', 'dst_gap'])
    .nullable()
    .meta({ description: 'Why the cycle does nothing.' }),
};

export const schedulePreviewSchema = z
  .object({
    timezone: z.string(),
    defaultTimes: z
      .boolean()
      .meta({ description: 'The schedule says no times: it runs each day at midnight.' }),
    cycles: z.array(z.object(cycleFields)).meta({
      description: 'Without days on which the schedule rests. It looks ten years ahead.',
    }),
  })
  .meta({ id: 'SchedulePreview' });

export const parameterPreviewQuerySchema = z.strictObject({
  bizdate: fromSchema,
  count: z.coerce
    .number()
    .int()
    .min(1)
    .max(MAX_COUNT)
    .default(DEFAULT_COUNT)
    .meta({ description: countDescription }),
  node: z.string().optional().meta({ description: 'Only this node.' }),
});

export const parameterPreviewRequestSchema = z
  .strictObject({
    draft: z
      .record(z.string(), z.unknown())
      .optional()
      .meta({ description: 'A draft that need not be saved; the saved one without it.' }),
    bizdate: fromSchema,
    count: z
      .int()
      .min(1)
      .max(MAX_COUNT)
      .default(DEFAULT_COUNT)
      .meta({ description: countDescription }),
    node: z.string().optional().meta({ description: 'Only this node.' }),
  })
  .prefault({})
  .meta({ id: 'ParameterPreviewRequest' });

export const parameterPreviewSchema = z
  .object({
    timezone: z.string(),
    version: z.int().nullable().meta({ description: 'null: a draft.' }),
    nodes: z.array(
      z.object({
        node: z.string(),
        defaultTimes: z.boolean().meta({
          description:
            'Neither the node nor its workflow says times: it runs each day at midnight.',
        }),
        parameters: z.array(
          z.object({
            name: z.string(),
            expression: z.string(),
            level: z
              .enum(PARAMETER_LEVELS)
              .meta({ description: 'Where the declaration in force stands; the nearest wins.' }),
          }),
        ),
        inputs: z
          .array(
            z.object({
              name: z.string(),
              workflow: z.string().nullable().meta({ description: 'null: the same workflow.' }),
              node: z.string(),
              output: z.string(),
              cycle: z.enum(['same', 'previous']),
              pattern: z.string().nullable(),
              default: z.string().nullable(),
            }),
          )
          .meta({
            description:
              'Parameters that are outputs of upstreams: their values are known only when the node starts.',
          }),
        instances: z.array(
          z.object({
            ...cycleFields,
            values: z.record(z.string(), z.string()),
            errors: z
              .record(z.string(), z.string())
              .meta({ description: 'Why a parameter has no value, by its name.' }),
          }),
        ),
      }),
    ),
    nodeTotal: z.int().meta({ description: 'At most 200 are listed; choose others by `node`.' }),
  })
  .meta({ id: 'ParameterPreview' });
