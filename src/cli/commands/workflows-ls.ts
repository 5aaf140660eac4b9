import { workflowSchema, workflowsPath } from '../api/workflow.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';

export const workflowsLs: Command = {
  path: ['workflows', 'ls'],
  summary: 'List workflows',
  args: [],
  options: {},
  async run({ printer, api, workspace }) {
    const path = workflowsPath(await workspace());
    const { items } = await (await api()).list(path, workflowSchema, 10_000);
    printer.list(
      items,
      [
        { title: 'id', of: (w) => w.id },
        { title: 'name', of: (w) => w.name },
        { title: 'version', of: (w) => w.latestVersion ?? 'draft', align: 'right' },
        { title: 'scheduled', of: (w) => (w.scheduled === false ? 'no' : 'yes') },
        { title: 'description', of: (w) => w.description ?? '' },
      ],
      (w) => w.name,
    );
    return EXIT.ok;
  },
};
