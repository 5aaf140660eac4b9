import { backfillAction } from '../backfill-action.js';
import type { Command } from '../command.js';

export const backfillsCancel: Command = {
  path: ['backfills', 'cancel'],
  summary: 'Cancel all of a backfill that has not ended',
  args: ['ID'],
  options: {},
  async run(ctx) {
    await ctx.confirm(() => `Cancel all of ${ctx.args[0]} that has not ended?`);
    return await backfillAction(ctx, { verb: 'cancel' });
  },
};
