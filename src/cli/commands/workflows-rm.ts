import { z } from 'zod';

import { findWorkflow, workflowsPath } from '../api/workflow.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { DRY_RUN } from '../global-options.js';

export const workflowsRm: Command = {
  path: ['workflows', 'rm'],
  summary: 'Remove a workflow that was never submitted',
  args: ['WORKFLOW'],
  completes: 'workflow',
  options: { 'dry-run': DRY_RUN },
  async run(ctx) {
    const workspace = await ctx.workspace();
    const api = await ctx.api();
    const { id, name } = await findWorkflow(api, workspace, ctx.args[0] ?? '');
    if (ctx.settings.dryRun) {
      ctx.io.stderr(`Would remove the workflow ${name} (${id}). Nothing was changed.\n`);
      return EXIT.ok;
    }
    await ctx.confirm(() => `Remove the workflow ${name}? Its draft cannot be restored.`);
    const path = `${workflowsPath(workspace)}/${id}`;
    const { etag } = await api.send('GET', path, z.unknown());
    await api.send('DELETE', path, z.unknown(), etag === undefined ? {} : { ifMatch: etag });
    ctx.io.stderr(`Removed ${name}.\n`);
    return EXIT.ok;
  },
};
