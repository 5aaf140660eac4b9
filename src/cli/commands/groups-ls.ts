import { type Group, listGroups } from '../api/resource-group.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import type { TableColumn } from '../output/table.js';

const COLUMNS: readonly TableColumn<Group>[] = [
  { title: 'name', of: (g) => g.name },
  {
    title: 'state',
    of: stateOf,
    color: (g) => (stateOf(g) === 'live' ? '32' : '33'),
  },
  { title: 'slots', of: (g) => `${g.slotsUsed}/${g.slots}`, align: 'right' },
  {
    title: 'scheduling',
    of: (g) => (g.schedulingSlots === null ? '' : `${g.schedulingSlotsUsed}/${g.schedulingSlots}`),
    align: 'right',
  },
  { title: 'waiting', of: (g) => g.waiting, align: 'right' },
  {
    title: 'oldest wait',
    of: (g) => (g.oldestWaitSeconds === null ? '' : `${g.oldestWaitSeconds} s`),
    align: 'right',
  },
  { title: 'workers', of: (g) => liveOf(g).length, align: 'right' },
  {
    title: 'capacity',
    of: (g) => liveOf(g).reduce((sum, worker) => sum + worker.capacity, 0),
    align: 'right',
  },
  { title: 'addresses', of: (g) => g.addresses.join(', ') },
];

export const groupsLs: Command = {
  path: ['groups', 'ls'],
  summary: 'List resource groups: slots, workers and what waits',
  args: [],
  options: {},
  async run({ printer, api }) {
    printer.list(await listGroups(await api()), COLUMNS, (group) => group.name);
    return EXIT.ok;
  },
};

function liveOf({ workers }: Group): Group['workers'] {
  return workers.filter(({ state }) => state !== 'lost');
}

function stateOf(group: Group): string {
  if (group.draining) return 'draining';
  return liveOf(group).length === 0 ? 'no worker' : 'live';
}
