import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { followLog, readLog } from '../run-log.js';

export const logs: Command = {
  path: ['logs'],
  summary: 'Print the run log of an instance',
  args: ['ID'],
  options: {
    follow: { type: 'boolean', short: 'f', help: 'go on until the attempt has ended' },
    epoch: {
      type: 'string',
      value: 'N',
      help: 'of the attempt with this epoch, see `instances show` (default: the last)',
    },
  },
  async run({ args, flags, io, api }) {
    const log = { instanceId: args[0] ?? '', epoch: flags.count('epoch') };
    const read = flags.isSet('follow') ? followLog : readLog;
    await read(await api(), log, (text) => io.stdout(text), io.signal);
    return EXIT.ok;
  },
};
