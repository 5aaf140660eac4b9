import type { Command } from '../command.js';
import { instanceAction } from '../instance-action.js';

export const instancesStop: Command = {
  path: ['instances', 'stop'],
  summary: 'Stop instances that have not ended',
  args: ['ID...'],
  options: { comment: { type: 'string', value: 'TEXT', help: 'why, for the audit' } },
  async run(ctx) {
    await ctx.confirm(`Stop ${ctx.args.join(', ')}?`);
    return await instanceAction(ctx, ctx.args, 'stop');
  },
};
