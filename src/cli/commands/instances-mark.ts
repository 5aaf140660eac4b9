import { usageError } from '../cli-error.js';
import type { Command } from '../command.js';
import { ACTION_OPTIONS, instanceAction } from '../instance-action.js';

const ACTIONS = { success: 'set-success', frozen: 'freeze', unfrozen: 'unfreeze' } as const;

function isMark(word: string): word is keyof typeof ACTIONS {
  return Object.hasOwn(ACTIONS, word);
}

export const instancesMark: Command = {
  path: ['instances', 'mark'],
  summary: 'Set instances to success, freeze them or unfreeze them',
  args: [Object.keys(ACTIONS).join('|'), 'ID...'],
  completes: 'instance',
  options: ACTION_OPTIONS,
  examples: ['millrace instances mark success inst_20261121_42 --comment "checked by hand"'],
  async run(ctx) {
    const [mark = '', ...ids] = ctx.args;
    if (!isMark(mark)) throw usageError(`"${mark}" is not a mark`, 'Use success or frozen.');
    const asks = mark === 'success' ? 'always' : 'never';
    return await instanceAction(ctx, ids, ACTIONS[mark], { asks });
  },
};
