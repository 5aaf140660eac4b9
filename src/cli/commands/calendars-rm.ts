import { z } from 'zod';

import { calendarsPath, findCalendar } from '../api/calendar.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { DRY_RUN } from '../global-options.js';

export const calendarsRm: Command = {
  path: ['calendars', 'rm'],
  summary: 'Remove a business calendar that no workflow uses',
  args: ['NAME'],
  completes: 'calendar',
  options: { 'dry-run': DRY_RUN },
  async run(ctx) {
    const workspace = await ctx.workspace();
    const api = await ctx.api();
    const { id, name } = await findCalendar(api, workspace, ctx.args[0] ?? '');
    if (ctx.settings.dryRun) {
      ctx.io.stderr(`Would remove the calendar ${name} (${id}). Nothing was changed.\n`);
      return EXIT.ok;
    }
    await ctx.confirm(() => `Remove the calendar ${name}? Its days cannot be restored.`);
    const path = `${calendarsPath(workspace)}/${id}`;
    const { etag } = await api.send('GET', path, z.unknown());
    await api.send('DELETE', path, z.unknown(), etag === undefined ? {} : { ifMatch: etag });
    ctx.io.stderr(`Removed ${name}.\n`);
    return EXIT.ok;
  },
};
