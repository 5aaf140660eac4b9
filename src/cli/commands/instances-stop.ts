import type { Command } from '../command.js';
import { ACTION_OPTIONS, instanceAction } from '../instance-action.js';

export const instancesStop: Command = {
  path: ['instances', 'stop'],
  summary: 'Stop instances that have not ended',
  args: ['ID...'],
  completes: 'instance',
  options: ACTION_OPTIONS,
  examples: ['millrace instances stop inst_20261121_42 --dry-run'],
  run: (ctx) => instanceAction(ctx, ctx.args, 'stop', { asks: 'always' }),
};
