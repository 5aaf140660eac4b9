import { z } from 'zod';

import { findWorkflow, workflowsPath } from '../api/workflow.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';

const instanceSchema = z.looseObject({
  bizdate: z.string(),
  localTime: z.string(),
  fold: z.number().default(0),
  dryRun: z.string().nullish(),
  values: z.record(z.string(), z.string()),
  errors: z.record(z.string(), z.string()).default({}),
});
const inputSchema = z.looseObject({
  name: z.string(),
  workflow: z.string().nullish(),
  node: z.string(),
  output: z.string(),
});
const previewSchema = z.looseObject({
  version: z.number().nullish(),
  timezone: z.string(),
  nodes: z.array(
    z.looseObject({
      node: z.string(),
      defaultTimes: z.boolean().default(false),
      inputs: z.array(inputSchema).default([]),
      instances: z.array(instanceSchema),
    }),
  ),
});

export const workflowsPreview: Command = {
  path: ['workflows', 'preview'],
  summary: 'Show the next instances of each node with their parameters',
  args: ['WORKFLOW'],
  completes: 'workflow',
  options: {
    count: { type: 'string', value: 'N', help: 'instances of each node (10; at most 50)' },
    bizdate: { type: 'string', value: 'DATE', help: 'from this business date on, not from now' },
    node: { type: 'string', value: 'NAME', help: 'only this node' },
    draft: { type: 'boolean', help: 'of the saved draft, not of the latest version' },
  },
  examples: ['millrace workflows preview orders_daily --count 3 --bizdate 2026-02-27'],
  async run({ args, flags, io, printer, api, workspace }) {
    const client = await api();
    const ws = await workspace();
    const { id } = await findWorkflow(client, ws, args[0] ?? '');
    const path = `${workflowsPath(ws)}/${id}/preview-parameters`;
    const chosen = {
      bizdate: flags.date('bizdate'),
      count: flags.count('count'),
      node: flags.text('node'),
    };
    const preview = flags.isSet('draft')
      ? (await client.send('POST', path, previewSchema, { body: chosen })).value
      : await client.get(path, previewSchema, chosen);
    const rows = preview.nodes.flatMap(({ node, inputs, instances }) =>
      instances.map((instance) => ({ node, inputs, ...instance })),
    );
    printer.list(
      rows,
      [
        { title: 'node', of: (row) => row.node },
        { title: 'bizdate', of: (row) => row.bizdate },
        {
          title: preview.timezone,
          of: ({ localTime, fold }) => `${localTime}${fold === 1 ? ' again' : ''}`,
        },
        { title: 'dry run', of: (row) => row.dryRun ?? '' },
        { title: 'parameters', of: ({ values, errors, inputs }) => pairs(values, errors, inputs) },
      ],
      (row) => row.node,
    );
    const without = preview.nodes.filter((each) => each.defaultTimes);
    if (without.length > 0) {
      const names = without.map(({ node }) => node).join(', ');
      io.stderr(
        `Neither the workflow nor the node says when to run ${names}: each day at 00:00.\n`,
      );
    }
    return EXIT.ok;
  },
};

function pairs(
  values: Readonly<Record<string, string>>,
  errors: Readonly<Record<string, string>>,
  inputs: readonly z.infer<typeof inputSchema>[],
): string {
  return [
    ...Object.entries(values).map(([name, value]) => `${name}=${value}`),
    ...Object.entries(errors).map(([name, detail]) => `${name}: ${detail}`),
    ...inputs.map(({ name, workflow, node, output }) => {
      const from = `${workflow == null ? '' : `${workflow}/`}${node}`;
      return `${name}=(at the start: ${output} of ${from})`;
    }),
  ].join(' ');
}
