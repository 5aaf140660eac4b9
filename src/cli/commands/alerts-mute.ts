import { alertSchema, alertsPath } from '../api/alert.js';
import { usageError } from '../cli-error.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';

export const alertsMute: Command = {
  path: ['alerts', 'mute'],
  summary: 'Send no messages about an alert for a while',
  args: ['ALERT'],
  options: {
    minutes: { type: 'string', value: 'N', help: 'for so long, at most a week (10080)' },
    unmute: { type: 'boolean', help: 'end it now' },
  },
  examples: ['millrace alerts mute alert_3 --minutes 120'],
  async run({ args, flags, printer, api, workspace }) {
    const given = flags.count('minutes');
    if ((given === undefined) !== flags.isSet('unmute'))
      throw usageError('It is not clear for how long', 'Give either --minutes N or --unmute.');
    const path = `${alertsPath(await workspace())}/${encodeURIComponent(args[0] ?? '')}/mute`;
    const body = { minutes: given ?? 0 };
    const { value } = await (await api()).send('POST', path, alertSchema, { body });
    const what =
      given === undefined ? 'sends again' : `sends nothing until ${value.mutedUntil ?? ''}`;
    printer.one(value, value.id, () => `${value.id} ${what}.\n`);
    return EXIT.ok;
  },
};
