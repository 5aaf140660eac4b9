import { z } from 'zod';

import { RERUN_CODES } from '../../domain/instance/operation.js';
import { INSTANCE_STATUSES } from '../../domain/instance/status.js';
import { channelChangeSchema } from './channel.schema.js';
import { bizdateSchema, instantSchema } from './field.schema.js';

const statusSchema = z.enum(INSTANCE_STATUSES);
const namedSchema = z.object({ id: z.string(), name: z.string() });

export const instanceSchema = z
  .object({
    id: z.string(),
    run: z.string(),
    runGroup: z.string(),
    runGroupKind: z.enum(['scheduled', 'test', 'backfill', 'manual']),
    workflow: namedSchema,
    version: z.string(),
    node: namedSchema,
    nodeType: z.string(),
    resourceGroup: z.string(),
    bizdate: bizdateSchema,
    scheduledTime: instantSchema,
    periodNo: z.int(),
    path: z.string(),
    status: statusSchema,
    frozen: z.boolean(),
    dryRun: z.boolean(),
    reason: z.string().nullable(),
    priority: z.int(),
    slots: z.int(),
    pendingUpstream: z.int(),
    upstreamFailed: z.boolean().meta({
      description:
        'It waits for an upstream that failed or was cancelled, or for one that waits for such a one.',
    }),
    epoch: z.int(),
    runNumber: z.int(),
    attempt: z.int(),
    createdAt: instantSchema,
    upstreamDoneAt: instantSchema.nullable(),
    readyAt: instantSchema.nullable(),
    dispatchedAt: instantSchema.nullable(),
    startedAt: instantSchema.nullable(),
    endedAt: instantSchema.nullable(),
  })
  .meta({ id: 'Instance' });

const facetSchema = z.array(z.object({ value: z.string(), count: z.int() }));

/** Counts under one filter, the largest first; what none has is absent. */
export const instanceFacetsSchema = z
  .object({
    total: z.int(),
    status: z.array(z.object({ value: statusSchema, count: z.int() })),
    nodeType: facetSchema,
    resourceGroup: facetSchema,
    workflow: z.array(z.object({ id: z.string(), value: z.string(), count: z.int() })),
  })
  .meta({ id: 'InstanceFacets' });

const neighbourSchema = z
  .object({
    id: z.string(),
    node: z.string(),
    status: statusSchema,
    kind: z.string(),
    outcome: z.string(),
  })
  .meta({ id: 'InstanceNeighbour' });

export const instanceDetailSchema = instanceSchema
  .extend({
    parameters: z.unknown(),
    progress: z.unknown(),
    channel: channelChangeSchema.nullable().meta({
      description: 'What was set for this instance in place of what its node says.',
    }),
    upstream: z.array(neighbourSchema),
    downstream: z.array(neighbourSchema),
  })
  .meta({ id: 'InstanceDetail' });

export const runSchema = z
  .object({
    id: z.string(),
    workflow: namedSchema,
    version: z.int(),
    bizdate: bizdateSchema,
    runGroup: z.object({ id: z.string(), kind: z.string(), name: z.string() }),
    createdAt: instantSchema,
    instances: z.array(
      instanceSchema
        .extend({
          progress: z.unknown().meta({
            description: 'Counters of what runs, or of its last attempt; null without any.',
          }),
        })
        .meta({ id: 'RunInstance' }),
    ),
  })
  .meta({ id: 'Run' });

export const attemptSchema = z
  .object({
    id: z.string(),
    epoch: z.int(),
    runNumber: z.int(),
    attempt: z.int(),
    state: z.string(),
    worker: z.string().nullable(),
    version: z.string(),
    claimedAt: instantSchema,
    startedAt: instantSchema.nullable(),
    endedAt: instantSchema.nullable(),
    error: z
      .object({
        code: z.string(),
        detail: z.string(),
        title: z.string().optional(),
        help: z.string().optional(),
      })
      .nullable()
      .meta({ description: '`title` and `help` are absent for a code of a newer worker.' }),
    result: z.unknown(),
    inputs: z
      .record(
        z.string(),
        z.object({
          value: z.string(),
          output: z.string(),
          instance: z
            .string()
            .optional()
            .meta({ description: 'Whose output it is; absent: the default was taken.' }),
          runNumber: z.int().optional().meta({ description: 'Of that instance.' }),
          reason: z.string().optional().meta({ description: 'Why the default was taken.' }),
        }),
      )
      .nullable()
      .meta({ description: 'What it was given of upstreams, by parameter; null: it takes none.' }),
    outputs: z
      .record(z.string(), z.string())
      .nullable()
      .meta({ description: 'What it has produced for downstreams.' }),
  })
  .meta({ id: 'Attempt' });

export const storedCellSchema = z
  .union([
    z.string(),
    z.null(),
    z.strictObject({ base64: z.string() }),
    z.strictObject({ text64: z.string() }),
  ])
  .meta({ id: 'StoredCell' });

export const dirtyRecordSchema = z
  .object({
    epoch: z.int(),
    no: z.int(),
    sliceNo: z.int().nullable().meta({
      description: 'Null: the target refused it once the rows of all slices had come together.',
    }),
    columnName: z.string().nullable(),
    code: z.string(),
    sqlState: z.string().nullable().meta({ description: "Of a server's refusal." }),
    reason: z.string(),
    cells: z.array(storedCellSchema).meta({
      description: 'In mapping order; bytes as base64, text with a NUL as UTF-16 in base64.',
    }),
    columns: z
      .array(z.string())
      .nullable()
      .meta({ description: 'Names of the cells; null: of an older worker.' }),
    key: z
      .array(z.string())
      .nullable()
      .meta({ description: "Those of them that are the target's primary key." }),
    class: z.string().nullable().meta({
      description: 'What kind of fault it is, whichever system has said so: `duplicate-key`.',
    }),
    stage: z.enum(['source', 'mapping', 'target']).meta({
      description:
        'mapping: the cells are those of the source, before its functions. source: it is no row, so there are none.',
    }),
    original: z
      .object({ place: z.string(), base64: z.string() })
      .nullable()
      .meta({ description: 'Of stage source: where it stands, and its bytes.' }),
    editedAt: instantSchema.nullable(),
    replayedAt: instantSchema.nullable().meta({ description: 'Since then it is in the target.' }),
  })
  .meta({ id: 'DirtyRecord' });

export const dirtyRecordEditSchema = z
  .strictObject({ cells: z.array(storedCellSchema).min(1) })
  .meta({ id: 'DirtyRecordEdit' });

export const replayRequestSchema = z
  .strictObject({
    records: z
      .array(z.strictObject({ epoch: z.int(), no: z.int() }))
      .min(1)
      .max(1000)
      .optional()
      .meta({ description: 'Which of them; all that wait without it.' }),
    after: z
      .strictObject({ epoch: z.int(), no: z.int() })
      .optional()
      .meta({ description: '`next` of the call before: where it goes on.' }),
  })
  .meta({ id: 'ReplayRequest' });

export const replaySchema = z
  .object({
    replayed: z.int().meta({ description: 'Rows that are in the target now.' }),
    dirty: z.int().meta({ description: 'Rows that were refused again.' }),
    next: z.object({ epoch: z.int(), no: z.int() }).nullable().meta({
      description: 'Many rows take several calls: where the next one goes on; null at the end.',
    }),
  })
  .meta({ id: 'Replay' });

export const whySchema = z
  .object({
    status: statusSchema,
    reasons: z.array(
      z.object({
        gate: z.enum(['upstream', 'time', 'resource', 'frozen', 'done', 'running']),
        text: z.string(),
        refs: z.array(z.string()),
      }),
    ),
  })
  .meta({ id: 'Why' });

const comment = z.string().max(1000).optional();

export const operationSchema = z.strictObject({ comment }).default({}).meta({ id: 'Operation' });

export const rerunCode = z.enum(RERUN_CODES).optional().meta({
  description:
    'Of a rerun that is not forced: `planned` takes code and configuration of the version it was planned with, `versions` shows how they differ.',
});

export const rerunSchema = z
  .strictObject({ comment, code: rerunCode })
  .default({})
  .meta({ id: 'Rerun' });

/** What a request to change instances sets; one of the two at least. */
export const changeFields = {
  priority: z.int().min(1).max(8).optional().meta({ description: 'Larger goes first.' }),
  resourceGroup: z.string().min(1).max(200).optional().meta({ description: 'By name.' }),
};

export const changeRequestSchema = z
  .strictObject({ ...changeFields, comment })
  .refine(
    ({ priority, resourceGroup }) => priority !== undefined || resourceGroup !== undefined,
    'name a priority, a resource group or both',
  )
  .meta({ id: 'ChangeRequest' });

export const upstreamsSchema = z
  .array(z.string().max(100))
  .min(1)
  .max(1000)
  .meta({ description: 'Instances it is to wait for no more.' });

export const unlinkRequestSchema = z
  .strictObject({ upstream: upstreamsSchema, comment })
  .meta({ id: 'UnlinkRequest' });

export const instanceStateSchema = z
  .object({
    id: z.string(),
    status: statusSchema,
    frozen: z.boolean(),
    along: z
      .int()
      .optional()
      .meta({ description: 'Of a wide rerun: how many downstream instances run again with it.' }),
  })
  .meta({ id: 'InstanceState' });

const codeVersionSchema = z
  .object({
    version: z.int(),
    submittedAt: instantSchema,
    submittedBy: z.string().nullable(),
    comment: z.string(),
  })
  .meta({ id: 'CodeVersion' });

export const codeVersionsSchema = z
  .object({
    planned: codeVersionSchema.meta({ description: 'The version it was planned with.' }),
    latest: codeVersionSchema.meta({ description: 'What it would start with now.' }),
    changes: z.array(
      z.object({
        pointer: z.string(),
        planned: z.unknown().optional(),
        latest: z.unknown().optional(),
      }),
    ),
  })
  .meta({ id: 'CodeVersions' });
