import { isLocalDate } from '../../domain/calendar/local-date.js';
import { backfillAction } from '../backfill-action.js';
import { usageError } from '../cli-error.js';
import type { Command } from '../command.js';

export const backfillsSkip: Command = {
  path: ['backfills', 'skip'],
  summary:
    'Give up business dates of a backfill: the next ones are opened, and chains go on past them',
  args: ['ID', 'DATE...'],
  options: {},
  examples: ['millrace backfills skip bf_12 2026-11-03'],
  async run(ctx) {
    const bizdates = ctx.args.slice(1);
    const bad = bizdates.find((text) => !isLocalDate(text));
    if (bad !== undefined) throw usageError(`"${bad}" is not a date`, 'Write it as 2026-11-20.');
    await ctx.confirm(() => `Cancel what has not ended of ${bizdates.join(', ')}?`);
    return await backfillAction(ctx, { verb: 'skip', body: { bizdates } });
  },
};
