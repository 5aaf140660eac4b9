import { z } from 'zod';

import { INSTANCE_STATUSES } from '../../domain/instance/status.js';
import { TIMELINE_GROUPINGS } from '../../store/sql/timeline-matches.js';
import { bizdateSchema, instantQuery, statusListSchema } from './field.schema.js';
import { instanceMatchFields } from './instance-match.schema.js';

export const timelineQuery = z
  .strictObject({
    bizdate: bizdateSchema.optional().meta({
      description: 'All instances of this business date. Either this, or `from` and `to`.',
    }),
    from: instantQuery.optional().meta({
      description:
        'With `to`: what may run before `to` and has not ended before `from`. What was planned more than 31 days before `from` is left out.',
    }),
    to: instantQuery.optional(),
    groupBy: z.enum(TIMELINE_GROUPINGS).default('workflow'),
    status: statusListSchema.optional().meta({ description: 'One or several, by comma.' }),
    ...instanceMatchFields,
    lod: z.enum(['auto', 'bars', 'tiles']).default('auto').meta({
      description: 'Level of detail. `auto`: bars up to 8,000 of them, tiles above.',
    }),
    buckets: z.coerce.number().int().min(1).max(4000).default(1600).meta({
      description: 'How many buckets the tiles may have at most; they have a round width.',
    }),
  })
  .superRefine((query, context) => {
    const isWindow = query.from !== undefined && query.to !== undefined;
    const isHalf = (query.from === undefined) !== (query.to === undefined);
    if (isHalf || isWindow === (query.bizdate !== undefined))
      context.addIssue({
        code: 'custom',
        path: ['bizdate'],
        message: 'send either bizdate, or from and to',
      });
    if (query.from !== undefined && query.to !== undefined && query.from >= query.to)
      context.addIssue({ code: 'custom', path: ['to'], message: 'must be after from' });
  });

const columnOf = <T extends z.ZodType>(cell: T): z.ZodArray<T> => z.array(cell);
const offsets = columnOf(z.int());
const laterOffsets = columnOf(z.int().nullable());
const flags = columnOf(z.union([z.literal(0), z.literal(1)]));

export const timelineSchema = z
  .object({
    lod: z.enum(['bars', 'tiles']),
    seq: z.int().meta({ description: 'Events with a higher number lead on from this answer.' }),
    now: z.int().meta({ description: 'The clock of the database, epoch ms.' }),
    bizdate: bizdateSchema.nullable(),
    runDate: bizdateSchema
      .nullable()
      .meta({ description: 'The local day on which the business date runs: the day after.' }),
    timezone: z.string(),
    from: z.int().meta({
      description:
        'Epoch ms. The window that was asked for; of a business date, what its instances span (of none, its run day).',
    }),
    to: z.int(),
    total: z.int().meta({ description: 'What matches without the status filter.' }),
    counts: z
      .partialRecord(z.enum([...INSTANCE_STATUSES, 'frozen']), z.int())
      .meta({ description: 'Of `total`, by status; `frozen` counts beside the statuses.' }),
    statuses: z.array(z.enum(INSTANCE_STATUSES)),
    groups: z.array(
      z.object({
        key: z.string().meta({
          description: 'The id of the workflow, the node type or the name of the resource group.',
        }),
        label: z.string(),
        count: z.int(),
      }),
    ),
    workflows: z.array(z.object({ id: z.string(), name: z.string() })).optional(),
    nodes: z
      .array(
        z.object({
          id: z.string(),
          name: z.string(),
          type: z.string(),
          workflow: z.int().meta({ description: 'Place in `workflows`.' }),
          group: z.int().meta({ description: 'Place in `groups`.' }),
        }),
      )
      .optional()
      .meta({ description: 'By scheduled time and id of the first instance.' }),
    p50: z.array(z.int().nullable()).optional().meta({
      description: 'For each node, the median ms of its last 20 successes.',
    }),
    inst: z
      .object({
        id: columnOf(z.string()),
        node: columnOf(z.int()).meta({ description: 'Place in `nodes`.' }),
        status: columnOf(z.int()).meta({ description: 'Place in `statuses`.' }),
        frozen: flags,
        dryRun: flags,
        attempt: columnOf(z.int()),
        scheduled: offsets,
        run: offsets.meta({ description: 'The earliest it may start.' }),
        created: offsets,
        upstreamDone: laterOffsets,
        ready: laterOffsets,
        dispatched: laterOffsets,
        started: laterOffsets,
        ended: laterOffsets,
      })
      .optional()
      .meta({ description: 'Columns of equal length; times in ms from `from`, null: not yet.' }),
    tiles: z
      .object({
        bucketMs: z.int(),
        origin: z.int().meta({ description: 'Where bucket 0 begins, epoch ms.' }),
        group: columnOf(z.int()),
        bucket: columnOf(z.int()).meta({ description: 'Below 0 before the origin.' }),
        status: columnOf(z.int()),
        count: columnOf(z.int()),
      })
      .optional()
      .meta({
        description:
          'Columns of equal length. An instance counts in the bucket of its anchor, the time it started, else the earliest it may.',
      }),
  })
  .meta({ id: 'Timeline' });
