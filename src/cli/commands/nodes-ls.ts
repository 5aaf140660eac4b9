import { z } from 'zod';

import { findWorkflow, workflowsPath } from '../api/workflow.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import type { TableColumn } from '../output/table.js';

const nodeSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  type: z.string(),
  frozen: z.boolean(),
  scheduleType: z.string(),
});

const COLUMNS: readonly TableColumn<z.infer<typeof nodeSchema>>[] = [
  { title: 'node', of: (n) => n.name },
  { title: 'type', of: (n) => n.type },
  { title: 'frozen', of: (n) => (n.frozen ? 'yes' : '') },
  { title: 'schedule type', of: (n) => n.scheduleType },
];

export const nodesLs: Command = {
  path: ['nodes', 'ls'],
  summary: 'List the nodes of a submitted workflow',
  args: ['WORKFLOW'],
  completes: 'workflow',
  options: {},
  async run({ args, printer, api, workspace }) {
    const client = await api();
    const ws = await workspace();
    const { id } = await findWorkflow(client, ws, args[0] ?? '');
    const path = `${workflowsPath(ws)}/${id}/nodes`;
    const { items } = await client.get(path, z.looseObject({ items: z.array(nodeSchema) }));
    printer.list(items, COLUMNS, (node) => node.name);
    return EXIT.ok;
  },
};
