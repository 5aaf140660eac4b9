import type { Command } from '../command.js';
import { instanceAction } from '../instance-action.js';

export const instancesRerun: Command = {
  path: ['instances', 'rerun'],
  summary: 'Run ended instances again',
  args: ['ID...'],
  options: { comment: { type: 'string', value: 'TEXT', help: 'why, for the audit' } },
  run: (ctx) => instanceAction(ctx, ctx.args, 'rerun'),
};
