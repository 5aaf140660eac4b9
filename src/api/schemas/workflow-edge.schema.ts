import { z } from 'zod';

import { EDGE_FINDINGS } from '../../domain/graph/edge-finding.js';
import { EDGE_KINDS } from '../../domain/instance/status.js';
import { bizdateSchema, instantSchema } from './field.schema.js';

export const edgePreviewRequestSchema = z
  .strictObject({
    bizdate: bizdateSchema
      .optional()
      .meta({ description: 'The last business date that is over without it.' }),
    draft: z
      .record(z.string(), z.unknown())
      .optional()
      .meta({ description: 'A draft that was not saved; the saved one without it.' }),
    version: z.int().min(1).optional().meta({ description: 'A version instead of a draft.' }),
  })
  .refine(({ draft, version }) => draft === undefined || version === undefined, {
    path: ['version'],
    message: 'either a draft or a version',
  })
  .prefault({})
  .meta({ id: 'EdgePreviewRequest' });

const cycleSchema = z
  .object({
    workflow: z.string().nullable().meta({ description: 'Null: this workflow.' }),
    node: z.string(),
    bizdate: bizdateSchema,
    periodNo: z.int(),
    scheduledAt: instantSchema,
  })
  .meta({ id: 'EdgePreviewCycle' });

export const edgePreviewSchema = z
  .object({
    bizdate: bizdateSchema,
    timezone: z.string(),
    nodes: z.array(z.object({ node: z.string(), instances: z.int() })),
    edges: z.array(
      z.object({
        downstream: cycleSchema,
        upstream: cycleSchema,
        kind: z.enum(EDGE_KINDS),
        inheritsDryRun: z.boolean(),
      }),
    ),
    edgesTotal: z.int().meta({ description: 'Of them at most 5,000 are listed, the first ones.' }),
    findings: z.array(
      z.object({
        finding: z.enum(EDGE_FINDINGS),
        node: z.string().nullable(),
        detail: z.string(),
      }),
    ),
  })
  .meta({ id: 'EdgePreview' });
