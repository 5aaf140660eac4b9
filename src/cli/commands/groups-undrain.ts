import { findGroup, groupSchema, GROUPS_PATH } from '../api/resource-group.js';
import type { Command } from '../command.js';
import { drainAction } from '../drain-action.js';
import { DRY_RUN } from '../global-options.js';

export const groupsUndrain: Command = {
  path: ['groups', 'undrain'],
  summary: 'Let a resource group that drains take work again',
  args: ['NAME'],
  options: { 'dry-run': DRY_RUN },
  async run(ctx) {
    const { id, name } = await findGroup(await ctx.api(), ctx.args[0] ?? '');
    return await drainAction(ctx, {
      path: `${GROUPS_PATH}/${id}`,
      text: `resource group ${name}`,
      schema: groupSchema,
      draining: false,
      runningOf: ({ workers }) => workers.reduce((sum, worker) => sum + worker.running, 0),
    });
  },
};
