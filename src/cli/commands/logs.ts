import { z } from 'zod';

import type { ApiClient } from '../api/api-client.js';
import { CliError } from '../cli-error.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { followInstance, followLog, readLog } from '../run-log.js';

const attemptsSchema = z.looseObject({ items: z.array(z.looseObject({ epoch: z.int() })) });

export const logs: Command = {
  path: ['logs'],
  summary: 'Print the run log of an instance',
  args: ['ID'],
  completes: 'instance',
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
    if (log.epoch !== undefined) await checkEpoch(client, log.instanceId, log.epoch);
    if (!flags.isSet('follow')) await readLog(client, log, write, io.signal);
    else if (log.epoch === undefined)
      await followInstance(client, log.instanceId, write, io.signal);
    else await followLog(client, log, write, io.signal);
    return EXIT.ok;
  },
};

/** The log of an attempt that never was is empty, which looks like one that said nothing. */
async function checkEpoch(api: ApiClient, id: string, epoch: number): Promise<void> {
  const path = `/instances/${encodeURIComponent(id)}/attempts`;
  const { items } = await api.get(path, attemptsSchema);
  if (items.some((attempt) => attempt.epoch === epoch)) return;
  const epochs = items.map((attempt) => attempt.epoch).toSorted((a, b) => a - b);
  throw new CliError(`${id} has no attempt with epoch ${epoch}`, {
    exitCode: EXIT.conflict,
    fix:
      epochs.length === 0
        ? 'It has not been started yet; ask `millrace why`.'
        : `Choose one of: ${epochs.join(', ')}.`,
  });
}
