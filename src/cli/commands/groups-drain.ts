import { findGroup, groupSchema, GROUPS_PATH } from '../api/resource-group.js';
import type { Command } from '../command.js';
import { drainAction } from '../drain-action.js';
import { DRY_RUN } from '../global-options.js';

export const groupsDrain: Command = {
  path: ['groups', 'drain'],
  summary: 'Give the workers of a resource group nothing new; what runs goes on',
  args: ['NAME'],
  options: { 'dry-run': DRY_RUN },
  async run(ctx) {
    const { id, name } = await findGroup(await ctx.api(), ctx.args[0] ?? '');
    return await drainAction(ctx, {
      path: `${GROUPS_PATH}/${id}`,
      text: `resource group ${name}`,
      schema: groupSchema,
      draining: true,
      runningOf: ({ workers }) => workers.reduce((sum, worker) => sum + worker.running, 0),
    });
  },
};
