import { z } from 'zod';

import { findWorkflow, workflowsPath } from '../api/workflow.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { renderTable, type TableColumn } from '../output/table.js';

const cycleSchema = z.looseObject({
  workflow: z.string().nullable(),
  node: z.string(),
  bizdate: z.string(),
  scheduledAt: z.string(),
});
type Cycle = z.infer<typeof cycleSchema>;

const previewSchema = z.looseObject({
  bizdate: z.string(),
  timezone: z.string(),
  edges: z.array(
    z.looseObject({ downstream: cycleSchema, upstream: cycleSchema, kind: z.string() }),
  ),
  edgesTotal: z.number(),
  findings: z.array(
    z.looseObject({ finding: z.string(), node: z.string().nullable(), detail: z.string() }),
  ),
});
type Edge = z.infer<typeof previewSchema>['edges'][number];

const COLUMNS: readonly TableColumn<Edge>[] = [
  { title: 'node', of: ({ downstream }) => downstream.node },
  { title: 'scheduled', of: ({ downstream }) => downstream.scheduledAt },
  { title: 'waits for', of: ({ upstream }) => nameOf(upstream) },
  { title: 'bizdate', of: ({ upstream }) => upstream.bizdate },
  { title: 'scheduled', of: ({ upstream }) => upstream.scheduledAt },
  { title: 'kind', of: ({ kind }) => kind },
];

export const workflowsPreviewEdges: Command = {
  path: ['workflows', 'preview-edges'],
  summary: 'List which instance of a workflow would wait for which one, and what is odd about it',
  args: ['WORKFLOW'],
  completes: 'workflow',
  options: {
    bizdate: { type: 'string', value: 'DATE', help: 'of this business date (yesterday)' },
    version: { type: 'string', value: 'N', help: 'of this version instead of the draft' },
  },
  examples: ['millrace workflows preview-edges orders_daily --bizdate 2026-11-20'],
  async run({ args, flags, io, printer, settings, api, workspace }) {
    const client = await api();
    const ws = await workspace();
    const { id, name } = await findWorkflow(client, ws, args[0] ?? '');
    const bizdate = flags.date('bizdate');
    const version = flags.count('version');
    const { value } = await client.send(
      'POST',
      `${workflowsPath(ws)}/${id}/preview-edges`,
      previewSchema,
      {
        body: {
          ...(bizdate === undefined ? {} : { bizdate }),
          ...(version === undefined ? {} : { version }),
        },
      },
    );
    printer.one(value, name, () => {
      const edges =
        value.edges.length === 0 ? '' : renderTable(value.edges, COLUMNS, settings.color);
      const findings = value.findings.map(({ finding, detail }) => `${finding}: ${detail}\n`);
      const head = `${name}, business date ${value.bizdate}: ${value.edgesTotal} edges\n`;
      return [head, edges, ...findings].join('');
    });
    if (value.edges.length < value.edgesTotal) {
      io.stderr(`The first ${value.edges.length} of ${value.edgesTotal} edges are listed.\n`);
    }
    return EXIT.ok;
  },
};

function nameOf({ workflow, node }: Cycle): string {
  return workflow === null ? node : `${workflow}/${node}`;
}
