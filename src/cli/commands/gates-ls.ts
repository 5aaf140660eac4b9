import { type Gate, listGates, targetOf } from '../api/gate.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import type { TableColumn } from '../output/table.js';

const COLUMNS: readonly TableColumn<Gate>[] = [
  { title: 'id', of: (g) => g.id },
  { title: 'for', of: targetOf },
  { title: 'running', of: (g) => `${g.running}/${g.capacity}`, align: 'right' },
  { title: 'waiting', of: (g) => g.waiting, align: 'right' },
  { title: 'held by', of: (g) => g.holders.join(', ') },
];

export const gatesLs: Command = {
  path: ['gates', 'ls'],
  summary: 'List gates: what runs through them and what waits before them',
  args: [],
  options: {},
  async run({ printer, api, workspace }) {
    printer.list(await listGates(await api(), await workspace()), COLUMNS, (gate) => gate.id);
    return EXIT.ok;
  },
};
