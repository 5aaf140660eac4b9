import { alertSchema, alertsPath } from '../api/alert.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';

const DEFAULT_LIMIT = 100;

export const alertsLs: Command = {
  path: ['alerts', 'ls'],
  summary: 'List what is wrong: the open alerts',
  args: [],
  options: {
    all: { type: 'boolean', help: 'closed ones too' },
    limit: { type: 'string', value: 'N', help: `at most so many (${DEFAULT_LIMIT})` },
  },
  async run({ flags, printer, io, api, workspace }) {
    const { items, more } = await (
      await api()
    ).list(alertsPath(await workspace()), alertSchema, flags.count('limit') ?? DEFAULT_LIMIT, {
      state: flags.isSet('all') ? undefined : 'open',
    });
    printer.list(
      items,
      [
        { title: 'id', of: (a) => a.id },
        { title: 'state', of: (a) => a.state, color: (a) => (a.state === 'open' ? '31' : '32') },
        { title: 'since', of: (a) => a.firstAt },
        { title: 'messages', of: (a) => a.count, align: 'right' },
        { title: 'rule', of: (a) => a.ruleName },
        { title: 'instance', of: (a) => a.instanceId ?? '' },
        { title: 'what', of: (a) => a.text },
      ],
      (a) => a.id,
    );
    if (more) io.stderr('There are more; raise --limit.\n');
    return EXIT.ok;
  },
};
