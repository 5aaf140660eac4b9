import {
  patchSentence,
  patchText,
  planPatchPreviewSchema,
  planPatchSchema,
} from '../api/plan-patch.js';
import { findWorkflow, workflowsPath } from '../api/workflow.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { DRY_RUN } from '../global-options.js';

export const workflowsPatchPlan: Command = {
  path: ['workflows', 'patch-plan'],
  summary: 'Patch the latest version of a workflow into the plan that was made without it',
  args: ['WORKFLOW'],
  completes: 'workflow',
  options: {
    'plan-token': {
      type: 'string',
      value: 'TOKEN',
      help: 'of `workflows preview-plan -o json`: refuse when what it saw has changed',
    },
    'dry-run': DRY_RUN,
  },
  examples: ['millrace workflows patch-plan orders_daily --plan-token "$TOKEN"'],
  async run({ args, flags, io, printer, settings, api, workspace }) {
    const client = await api();
    const ws = await workspace();
    const { id, name } = await findWorkflow(client, ws, args[0] ?? '');
    const path = `${workflowsPath(ws)}/${id}`;
    let planToken = flags.text('plan-token');
    if (planToken === undefined || settings.dryRun) {
      const preview = await client.send('POST', `${path}/preview-plan`, planPatchPreviewSchema, {
        body: {},
      });
      if (settings.dryRun) {
        io.stderr(`${patchSentence(preview.value)} Nothing was changed.\n`);
        return EXIT.ok;
      }
      planToken = preview.value.planToken;
    }
    const { value } = await client.send('POST', `${path}/patch-plan`, planPatchSchema, {
      body: { planToken },
    });
    printer.one(value, name, () => `${patchSentence(value)}\n${patchText(value, settings.color)}`);
    return EXIT.ok;
  },
};
