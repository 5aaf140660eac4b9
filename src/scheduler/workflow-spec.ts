import { z } from 'zod';

import { LABEL, MAX_LABELS } from '../domain/resource/labels.js';
import { scheduleSpec } from './schedule-spec.js';

const name = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,62}$/, 'letters, digits, _ . - and at most 63 characters')
  .meta({ description: 'The name of the node, unique in its workflow.' });

const parameters = z.record(z.string(), z.string()).default({}).meta({
  description:
    'Values by name: literals, ${yyyymmdd-1} for business dates, $[...] for scheduled times.',
});

const need = z.union([
  z.string(),
  z.strictObject({
    workflow: z
      .string()
      .optional()
      .meta({ description: 'Another workflow of the workspace; this one without it.' }),
    node: z.string(),
    cycle: z.enum(['same', 'previous']).default('same').meta({
      description:
        '`previous`: yesterday’s; between hourly and minutely nodes what the cycle before would wait for.',
    }),
    inheritDryRun: z.boolean().optional().meta({
      description:
        'Whether an upstream that a branch skipped skips this node too. Without it: of the same cycle yes, of the previous one no.',
    }),
  }),
]);

const nodeSpec = z.strictObject({
  id: name,
  type: z.string().min(1),
  description: z.string().max(1000).default(''),
  needs: z.array(need).default([]).meta({
    description:
      'Upstream nodes: the name of one of this workflow and the same cycle, or an object.',
  }),
  config: z.record(z.string(), z.unknown()).default({}),
  configVersion: z.int().min(1).default(1),
  parameters,
  schedule: scheduleSpec
    .optional()
    .meta({ description: 'Its own schedule; the workflow’s without it.' }),
  selfDependence: z.boolean().default(false).meta({
    description: 'Each cycle waits for the previous cycle of this node, also across days.',
  }),
  childDependence: z.boolean().default(false).meta({
    description:
      'Each cycle waits for the previous cycle of the nodes of this workflow that need this one.',
  }),
  scheduleType: z.enum(['normal', 'frozen', 'dry_run']).default('normal'),
  rerunMode: z.enum(['always', 'on_failure', 'never']).default('always'),
  priority: z.int().min(1).max(8).default(1),
  resourceGroup: z.string().default('default'),
  slots: z.int().min(1).max(1000).default(1),
  labels: z
    .array(z.string().regex(LABEL, 'letters, digits, _ . : / - and at most 63 characters'))
    .max(MAX_LABELS)
    .default([])
    .meta({ description: 'What a worker must have to be given the node; MILLRACE_WORKER_LABELS.' }),
  retry: z
    .strictObject({
      max: z.int().min(0).max(10).default(0),
      intervalMs: z.int().min(0).max(1_800_000).default(60_000),
      backoff: z
        .strictObject({
          factor: z.number().min(1).max(10).default(2),
          capMs: z.int().min(1000).max(86_400_000).default(1_800_000),
        })
        .optional()
        .meta({
          description:
            'Each further retry waits `factor` times as long, at most `capMs`. Without it all wait alike.',
        }),
    })
    .prefault({}),
  timeoutMs: z
    .int()
    .min(1000)
    .max(168 * 3_600_000)
    .default(24 * 3_600_000),
  outputs: z
    .array(
      z.strictObject({
        dataSource: z.string().min(1),
        table: z.string().min(1),
        partition: z.string().default('').meta({ description: 'For example ds=${bizdate}.' }),
      }),
    )
    .default([]),
});

/** A workflow as users write it; the draft is stored as it is, a submitted version with its defaults. */
export const workflowSpec = z
  .strictObject({
    timezone: z.string().optional().meta({ description: 'IANA name; the workspace’s without it.' }),
    schedule: scheduleSpec.prefault({}),
    parameters,
    nodes: z.array(nodeSpec).min(1).max(100_000),
  })
  .meta({ id: 'WorkflowSpec' });

export type WorkflowSpec = z.output<typeof workflowSpec>;
export type NodeSpec = WorkflowSpec['nodes'][number];
