import { backfillAction } from '../backfill-action.js';
import type { Command } from '../command.js';

export const backfillsResume: Command = {
  path: ['backfills', 'resume'],
  summary: 'Go on with a paused backfill',
  args: ['ID'],
  options: {},
  run: (ctx) => backfillAction(ctx, { verb: 'resume' }),
};
