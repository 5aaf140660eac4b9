import { alertSchema, alertsPath } from '../api/alert.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';

export const alertsClose: Command = {
  path: ['alerts', 'close'],
  summary: 'Close an alert for good; what it is about opens no other one',
  args: ['ALERT'],
  options: {},
  async run({ args, printer, api, workspace }) {
    const path = `${alertsPath(await workspace())}/${encodeURIComponent(args[0] ?? '')}/close`;
    const { value } = await (await api()).send('POST', path, alertSchema);
    printer.one(value, value.id, () => `${value.id} is closed.\n`);
    return EXIT.ok;
  },
};
