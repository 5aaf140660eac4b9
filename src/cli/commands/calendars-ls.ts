import { calendarSchema, calendarsPath } from '../api/calendar.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';

export const calendarsLs: Command = {
  path: ['calendars', 'ls'],
  summary: 'List business calendars',
  args: [],
  options: {},
  async run({ printer, api, workspace }) {
    const path = calendarsPath(await workspace());
    const { items } = await (await api()).list(path, calendarSchema, 10_000);
    printer.list(
      items,
      [
        { title: 'id', of: (c) => c.id },
        { title: 'name', of: (c) => c.name },
        { title: 'work weekdays', of: (c) => c.workWeekdays.join(',') },
        { title: 'holidays', of: (c) => c.holidays.length, align: 'right' },
        { title: 'work days', of: (c) => c.workDays.length, align: 'right' },
        { title: 'description', of: (c) => c.description ?? '' },
      ],
      (c) => c.name,
    );
    return EXIT.ok;
  },
};
