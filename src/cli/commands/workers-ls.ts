import { listWorkers, type Worker } from '../api/resource-group.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import type { TableColumn } from '../output/table.js';

const STATE_COLORS: Readonly<Record<string, string>> = { live: '32', draining: '33', lost: '31' };

const COLUMNS: readonly TableColumn<Worker>[] = [
  { title: 'id', of: (w) => w.id },
  { title: 'name', of: (w) => w.name },
  { title: 'group', of: (w) => w.resourceGroup },
  { title: 'state', of: (w) => w.state, color: (w) => STATE_COLORS[w.state] },
  { title: 'running', of: (w) => `${w.running}/${w.capacity}`, align: 'right' },
  { title: 'labels', of: (w) => w.labels.join(', ') },
  { title: 'addresses', of: (w) => w.addresses.join(', ') },
  { title: 'started', of: (w) => w.startedAt },
];

export const workersLs: Command = {
  path: ['workers', 'ls'],
  summary: 'List workers that are alive, and those that were lost in the last hour',
  args: [],
  options: {},
  async run({ printer, api }) {
    printer.list(await listWorkers(await api()), COLUMNS, (worker) => worker.id);
    return EXIT.ok;
  },
};
