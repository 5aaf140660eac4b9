import { usageError } from '../cli-error.js';
import type { Command } from '../command.js';
import { ACTION_OPTIONS, instanceAction } from '../instance-action.js';

export const instancesUnlink: Command = {
  path: ['instances', 'unlink'],
  summary: 'Let waiting instances wait no more for an upstream',
  args: ['ID...'],
  completes: 'instance',
  options: {
    upstream: {
      type: 'string',
      multiple: true,
      value: 'ID',
      completes: 'instance',
      help: 'the instance they are not to wait for; may be given several times',
    },
    ...ACTION_OPTIONS,
  },
  examples: ['millrace instances unlink inst_20261121_42 --upstream inst_20261121_40'],
  async run(ctx) {
    const upstream = ctx.flags.texts('upstream');
    if (upstream.length === 0)
      throw usageError('--upstream is missing', 'Add it: --upstream inst_20261121_40');
    return await instanceAction(ctx, ctx.args, 'unlink', {
      asks: 'always',
      fields: { upstream: [...new Set(upstream)] },
    });
  },
};
