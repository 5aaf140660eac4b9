import { findWorkflow, workflowSchema, workflowsPath } from '../api/workflow.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { renderYaml } from '../output/yaml.js';

export const workflowsShow: Command = {
  path: ['workflows', 'show'],
  summary: 'Show a workflow with its draft',
  args: ['WORKFLOW'],
  completes: 'workflow',
  options: {},
  async run({ args, printer, api, workspace }) {
    const client = await api();
    const ws = await workspace();
    const { id } = await findWorkflow(client, ws, args[0] ?? '');
    const workflow = await client.get(`${workflowsPath(ws)}/${id}`, workflowSchema);
    printer.one(workflow, workflow.name, () => renderYaml(workflow));
    return EXIT.ok;
  },
};
