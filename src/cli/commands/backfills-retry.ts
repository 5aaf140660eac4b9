import { backfillAction } from '../backfill-action.js';
import type { Command } from '../command.js';

export const backfillsRetry: Command = {
  path: ['backfills', 'retry'],
  summary: 'Run the failed instances of a backfill again',
  args: ['ID'],
  options: {},
  run: (ctx) => backfillAction(ctx, { verb: 'retry' }),
};
