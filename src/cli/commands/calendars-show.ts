import { findCalendar } from '../api/calendar.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { renderYaml } from '../output/yaml.js';

export const calendarsShow: Command = {
  path: ['calendars', 'show'],
  summary: 'Show a business calendar with its days',
  args: ['NAME'],
  completes: 'calendar',
  options: {},
  async run({ args, printer, api, workspace }) {
    const calendar = await findCalendar(await api(), await workspace(), args[0] ?? '');
    printer.one(calendar, calendar.name, () => renderYaml(calendar));
    return EXIT.ok;
  },
};
