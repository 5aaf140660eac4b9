import { dataSourceSchema, dataSourcesPath } from '../api/data-source.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';

const TEST_COLORS: Readonly<Record<string, string>> = {
  succeeded: '32',
  failed: '31',
  untested: '33',
};

export const datasourcesLs: Command = {
  path: ['datasources', 'ls'],
  summary: 'List data sources',
  args: [],
  options: {},
  async run({ printer, api, workspace }) {
    const path = dataSourcesPath(await workspace());
    const { items } = await (await api()).list(path, dataSourceSchema, 10_000);
    printer.list(
      items,
      [
        { title: 'id', of: (d) => d.id },
        { title: 'name', of: (d) => d.name },
        { title: 'type', of: (d) => d.type },
        { title: 'environment', of: (d) => d.environment ?? '' },
        {
          title: 'test',
          of: (d) => d.testStatus ?? 'untested',
          color: (d) => TEST_COLORS[d.testStatus ?? 'untested'],
        },
        { title: 'description', of: (d) => d.description ?? '' },
      ],
      (d) => d.name,
    );
    return EXIT.ok;
  },
};
