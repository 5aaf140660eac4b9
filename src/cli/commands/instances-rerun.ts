import type { Command } from '../command.js';
import { ACTION_OPTIONS, instanceAction } from '../instance-action.js';

export const instancesRerun: Command = {
  path: ['instances', 'rerun'],
  summary: 'Run ended instances again',
  args: ['ID...'],
  completes: 'instance',
  options: ACTION_OPTIONS,
  examples: ['millrace instances rerun inst_20261121_42 --dry-run'],
  run: (ctx) => instanceAction(ctx, ctx.args, 'rerun', { asks: 'many' }),
};
