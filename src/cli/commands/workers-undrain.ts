import { findWorker, workerSchema, WORKERS_PATH } from '../api/resource-group.js';
import type { Command } from '../command.js';
import { drainAction } from '../drain-action.js';
import { DRY_RUN } from '../global-options.js';

export const workersUndrain: Command = {
  path: ['workers', 'undrain'],
  summary: 'Let a worker that drains take work again',
  args: ['WORKER'],
  options: { 'dry-run': DRY_RUN },
  async run(ctx) {
    const { id, name } = await findWorker(await ctx.api(), ctx.args[0] ?? '');
    return await drainAction(ctx, {
      path: `${WORKERS_PATH}/${id}`,
      text: `worker ${name} (${id})`,
      schema: workerSchema,
      draining: false,
      runningOf: ({ running }) => running,
    });
  },
};
