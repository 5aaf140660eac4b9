import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { followInstance, followLog, readLog } from '../run-log.js';

export const logs: Command = {
  path: ['logs'],
  summary: 'Print the run log of an instance',
  args: ['ID'],
  options: {
    follow: { type: 'boolean', short: 'f', help: 'go on until the instance has ended' },
    epoch: {
      type: 'string',
      value: 'N',
      help: 'of the attempt with this epoch, see `instances show` (default: the last)',
    },
  },
  async run({ args, flags, io, api }) {
    const log = { instanceId: args[0] ?? '', epoch: flags.count('epoch') };
    const write = (text: string): void => io.stdout(text);
    const client = await api();
    if (!flags.isSet('follow')) await readLog(client, log, write, io.signal);
    else if (log.epoch === undefined)
      await followInstance(client, log.instanceId, write, io.signal);
    else await followLog(client, log, write, io.signal);
    return EXIT.ok;
  },
};
