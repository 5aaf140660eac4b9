import { explainConfig, type ExplainedSetting } from '../../config/explain-config.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import type { TableColumn } from '../output/table.js';
import { readLayers } from '../settings.js';

export const configShow: Command = {
  path: ['config', 'show'],
  summary: 'Show every setting as it is here',
  args: [],
  options: { origin: { type: 'boolean', help: 'where each value comes from' } },
  run({ flags, io, printer }) {
    const rows = explainConfig(readLayers(flags, io, []));
    const columns: TableColumn<ExplainedSetting>[] = [
      { title: 'setting', of: (row) => row.key },
      { title: 'value', of: (row) => row.value },
    ];
    if (flags.isSet('origin')) columns.push({ title: 'origin', of: (row) => row.origin });
    printer.list(rows, columns, (row) => row.key);
    return Promise.resolve(EXIT.ok);
  },
};
