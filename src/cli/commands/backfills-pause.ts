import { backfillAction } from '../backfill-action.js';
import type { Command } from '../command.js';

export const backfillsPause: Command = {
  path: ['backfills', 'pause'],
  summary: 'Hand nothing more of a backfill to workers; what runs goes on',
  args: ['ID'],
  options: {},
  run: (ctx) => backfillAction(ctx, { verb: 'pause' }),
};
