import { backfillAction } from '../backfill-action.js';
import { usageError } from '../cli-error.js';
import type { Command } from '../command.js';

export const backfillsParallel: Command = {
  path: ['backfills', 'parallel'],
  summary: 'Change how many business dates of a backfill are open at once',
  args: ['ID', 'N'],
  options: {},
  examples: ['millrace backfills parallel bf_12 4'],
  async run(ctx) {
    const text = ctx.args[1] ?? '';
    if (!/^\d{1,2}$/.test(text))
      throw usageError(`"${text}" is not a number of business dates`, 'Give 1 to 50.');
    return await backfillAction(ctx, { body: { parallelism: Number(text) } });
  },
};
