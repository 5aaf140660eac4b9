import { z } from 'zod';

import { BACKFILL_RULES } from '../domain/backfill/backfill-rule.js';
import { LABEL, MAX_LABELS } from '../domain/resource/labels.js';
import { nodeScheduleSpec, scheduleSpec } from './schedule-spec.js';

const name = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,62}$/, 'letters, digits, _ . - and at most 63 characters')
  .meta({ description: 'The name of the node, unique in its workflow.' });

const parameters = z.record(z.string(), z.string()).default({}).meta({
  description:
    'Values by name: literals, ${yyyymmdd-1} for business dates, $[...] for scheduled times.',
});

const ownDependence = z.union([
  z.boolean(),
  z.strictObject({
    inheritDryRun: z.boolean().optional().meta({
      description:
        'Whether the node is skipped too when all that it waits for there was skipped by a branch. Without it: no.',
    }),
  }),
]);

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

const parameterName = z
  .string()
  .regex(/^[A-Za-z_]\w{0,62}$/, 'letters, digits and _, beginning with no digit');

const input = z.strictObject({
  workflow: z
    .string()
    .optional()
    .meta({ description: 'Another workflow of the workspace; this one without it.' }),
  node: z.string().meta({
    description: 'One of `needs`; with selfDependence also the node itself.',
  }),
  output: z.string(),
  cycle: z.enum(['same', 'previous']).default('same').meta({
    description: 'Of the need; of a node that takes an output of its own it is always `previous`.',
  }),
  pattern: z.string().optional().meta({
    description:
      'A regular expression that all of the value must fit, or the attempt fails. Without it: word characters, space, dot, colon, dash.',
  }),
  default: z.string().optional().meta({
    description:
      'Taken when the upstream has left nothing: it was a dry run or set to success, or there is no cycle of it.',
  }),
});

/** A length of time in ms, at least a minute; what is wrong is told in the unit of people. */
function duration(most: { readonly ms: number; readonly text: string }): z.ZodInt {
  const message = `at least 60000 (1 minute) and at most ${most.ms} (${most.text}), in milliseconds`;
  return z.int().min(60_000, message).max(most.ms, message);
}

const retryWait = duration({ ms: 1_800_000, text: '30 minutes' });

const tableOutput = z.strictObject({
  dataSource: z.string().min(1),
  table: z.string().min(1),
  partition: z.string().default('').meta({ description: 'For example ds=${bizdate}.' }),
});

const namedOutput = z.strictObject({
  name: parameterName.meta({
    description: 'A value that downstream nodes may take as an input, instead of a table.',
  }),
  value: z.string().max(1000).optional().meta({
    description: 'A constant, or a text with parameters of the node: ${ds}, also its inputs.',
  }),
  from: z.string().min(1).optional().meta({
    description:
      'The name under which its runs produce it; without `value` and `from`: the name itself.',
  }),
});

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
  schedule: nodeScheduleSpec.optional().meta({
    description:
      'Its own schedule. Each field that is not there is the workflow’s; `null` takes away its days or calendar.',
  }),
  selfDependence: ownDependence.default(false).meta({
    description:
      'Each cycle waits for the previous cycle of this node, also across days. `{ inheritDryRun: true }`: and inherits that a branch skipped it.',
  }),
  childDependence: ownDependence.default(false).meta({
    description:
      'Each cycle waits for the previous cycle of the nodes that need this one, also of those of other workflows that need it when this one is submitted. `{ inheritDryRun: true }`: and inherits that a branch skipped them.',
  }),
  scheduleType: z.enum(['normal', 'frozen', 'dry_run']).default('normal').meta({
    description:
      '`frozen`: its cycles are planned frozen; `dry_run`: they succeed without being run, and what waits for them goes on.',
  }),
  rerunMode: z.enum(['always', 'on_failure', 'never']).default('always').meta({
    description:
      'Whether an ended instance may be run again. `on_failure`: one that has failed; `never`: only by force, and no retry either.',
  }),
  backfill: z.enum(BACKFILL_RULES).default('allowed').meta({
    description:
      '`forbidden`: no backfill runs it; in backfills its cycles are dry runs, so that what waits for it goes on.',
  }),
  priority: z.int().min(1).max(8).default(1).meta({
    description:
      '1 to 8; of what waits for a slot the larger goes first, and what has waited long.',
  }),
  resourceGroup: z.string().default('default').meta({ description: 'Whose workers run it.' }),
  schedulingGroup: z.string().min(1).max(128).optional().meta({
    description:
      'The resource group in which it also takes a scheduling slot while it runs; none without it.',
  }),
  slots: z.int().min(1).max(1000).default(1).meta({
    description: 'How many slots of its resource group it takes while it runs.',
  }),
  labels: z
    .array(z.string().regex(LABEL, 'letters, digits, _ . : / - and at most 63 characters'))
    .max(MAX_LABELS)
    .default([])
    .meta({ description: 'What a worker must have to be given the node; MILLRACE_WORKER_LABELS.' }),
  retry: z
    .strictObject({
      max: z.int().min(0).max(10).default(0),
      intervalMs: retryWait
        .default(60_000)
        .meta({ description: 'What it waits before the next try: 1 to 30 minutes.' }),
      backoff: z
        .strictObject({
          factor: z.number().min(1).max(10).default(2),
          capMs: retryWait
            .default(1_800_000)
            .meta({ description: 'No try waits longer: 1 to 30 minutes.' }),
        })
        .optional()
        .meta({
          description:
            'Each further retry waits `factor` times as long, at most `capMs`. Without it all wait alike.',
        }),
    })
    .prefault({})
    .meta({ description: 'How often it is tried again by itself when it fails: up to 10 times.' }),
  timeoutMs: duration({ ms: 168 * 3_600_000, text: '168 hours' })
    .default(24 * 3_600_000)
    .meta({
      description:
        'An attempt that runs longer is stopped and has failed, without a retry: 1 minute to 168 hours, a day by default.',
    }),
  inputs: z.record(parameterName, input).default({}).meta({
    description:
      'Parameters by name whose values are outputs of upstream nodes, looked up when the node starts: `{ node, output }`, with `workflow`, `cycle`, `pattern` and `default` as in [parameters.md](parameters.md).',
  }),
  outputs: z
    .array(z.union([tableOutput, namedOutput]))
    .default([])
    .meta({
      description: 'What its runs leave: partitions of tables, and values by name.',
    }),
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
type OutputSpec = NodeSpec['outputs'][number];
export type TableOutput = Extract<OutputSpec, { dataSource: string }>;
export type NamedOutputSpec = Extract<OutputSpec, { name: string }>;

/** The tables among a node's outputs, each with its place in the list. */
export function tableOutputsOf(node: NodeSpec): (TableOutput & { readonly no: number })[] {
  return node.outputs.flatMap((output, no) => ('name' in output ? [] : [{ ...output, no }]));
}

/** The values among a node's outputs, each with its place in the list. */
export function namedOutputsOf(node: NodeSpec): (NamedOutputSpec & { readonly no: number })[] {
  return node.outputs.flatMap((output, no) => ('name' in output ? [{ ...output, no }] : []));
}
