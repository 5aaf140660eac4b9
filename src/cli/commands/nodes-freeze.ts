import type { Command } from '../command.js';
import { FREEZE_OPTIONS, freezeNodes } from '../node-freeze.js';

export const nodesFreeze: Command = {
  path: ['nodes', 'freeze'],
  summary: 'Freeze nodes: what is planned of them from now on does not start',
  args: ['WORKFLOW', 'NODE...'],
  completes: 'workflow',
  options: FREEZE_OPTIONS,
  examples: [
    'millrace nodes freeze orders load --instances',
    'millrace nodes freeze orders load export --comment "the source is down"',
  ],
  run: (ctx) => freezeNodes(ctx, 'freeze'),
};
