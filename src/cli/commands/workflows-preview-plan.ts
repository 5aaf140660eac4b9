import { patchSentence, patchText, planPatchPreviewSchema } from '../api/plan-patch.js';
import { findWorkflow, workflowsPath } from '../api/workflow.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';

export const workflowsPreviewPlan: Command = {
  path: ['workflows', 'preview-plan'],
  summary: 'Show what the latest version would change of the plan that was made without it',
  args: ['WORKFLOW'],
  completes: 'workflow',
  options: {},
  examples: ['millrace workflows preview-plan orders_daily'],
  async run({ args, io, printer, settings, api, workspace }) {
    const client = await api();
    const ws = await workspace();
    const { id, name } = await findWorkflow(client, ws, args[0] ?? '');
    const path = `${workflowsPath(ws)}/${id}/preview-plan`;
    const { value } = await client.send('POST', path, planPatchPreviewSchema, { body: {} });
    printer.one(value, name, () => patchText(value, settings.color));
    io.stderr(`${patchSentence(value)} Nothing was changed.\n`);
    return EXIT.ok;
  },
};
