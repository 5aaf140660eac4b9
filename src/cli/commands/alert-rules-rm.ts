import { z } from 'zod';

import { alertRulesPath, findAlertRule } from '../api/alert.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { DRY_RUN } from '../global-options.js';

export const alertRulesRm: Command = {
  path: ['alert-rules', 'rm'],
  summary: 'Remove an alert rule and its alerts',
  args: ['NAME'],
  completes: 'alertRule',
  options: { 'dry-run': DRY_RUN },
  async run(ctx) {
    const workspace = await ctx.workspace();
    const api = await ctx.api();
    const found = await findAlertRule(api, workspace, ctx.args[0] ?? '');
    if (ctx.settings.dryRun) {
      ctx.io.stderr(
        `Would remove the alert rule ${found.name} (${found.id}). Nothing was changed.\n`,
      );
      return EXIT.ok;
    }
    await ctx.confirm(
      () => `Remove the alert rule ${found.name} and its alerts (${found.openAlerts} open)?`,
    );
    const path = `${alertRulesPath(workspace)}/${found.id}`;
    const { etag } = await api.send('GET', path, z.unknown());
    await api.send('DELETE', path, z.unknown(), etag === undefined ? {} : { ifMatch: etag });
    ctx.io.stderr(`Removed ${found.name}.\n`);
    return EXIT.ok;
  },
};
