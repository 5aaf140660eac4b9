import { z } from 'zod';

import { dataSourcesPath, findDataSource } from '../api/data-source.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { DRY_RUN } from '../global-options.js';

export const datasourcesRm: Command = {
  path: ['datasources', 'rm'],
  summary: 'Remove a data source and destroy its credentials',
  args: ['NAME'],
  completes: 'dataSource',
  options: { 'dry-run': DRY_RUN },
  async run(ctx) {
    const workspace = await ctx.workspace();
    const api = await ctx.api();
    const found = await findDataSource(api, workspace, ctx.args[0] ?? '');
    if (ctx.settings.dryRun) {
      ctx.io.stderr(
        `Would remove the data source ${found.name} (${found.id}). Nothing was changed.\n`,
      );
      return EXIT.ok;
    }
    await ctx.confirm(
      () => `Remove the data source ${found.name}? Its credentials cannot be restored.`,
    );
    const path = `${dataSourcesPath(workspace)}/${found.id}`;
    const { etag } = await api.send('GET', path, z.unknown());
    await api.send('DELETE', path, z.unknown(), etag === undefined ? {} : { ifMatch: etag });
    ctx.io.stderr(`Removed ${found.name}.\n`);
    return EXIT.ok;
  },
};
