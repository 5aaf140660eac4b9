import { usageError } from '../cli-error.js';
import type { Command } from '../command.js';
import { ACTION_OPTIONS, instanceAction } from '../instance-action.js';

const MAX_PRIORITY = 8;

export const instancesSet: Command = {
  path: ['instances', 'set'],
  summary: 'Give waiting instances another priority or resource group',
  args: ['ID...'],
  completes: 'instance',
  options: {
    priority: { type: 'string', value: 'N', help: '1 to 8, larger goes first' },
    'resource-group': { type: 'string', value: 'NAME', help: 'whose workers run them' },
    ...ACTION_OPTIONS,
  },
  examples: ['millrace instances set inst_20261121_42 --priority 8 --resource-group nightly'],
  async run(ctx) {
    const priority = ctx.flags.count('priority');
    const resourceGroup = ctx.flags.text('resource-group');
    if (priority === undefined && resourceGroup === undefined)
      throw usageError('There is nothing to set', 'Add --priority N or --resource-group NAME.');
    if (priority !== undefined && priority > MAX_PRIORITY)
      throw usageError(`--priority ${priority} is too large`, `Give 1 to ${MAX_PRIORITY}.`);
    return await instanceAction(ctx, ctx.args, 'change', {
      asks: 'many',
      fields: {
        ...(priority === undefined ? {} : { priority }),
        ...(resourceGroup === undefined ? {} : { resourceGroup }),
      },
    });
  },
};
