import type { Command } from '../command.js';
import { FREEZE_OPTIONS, freezeNodes } from '../node-freeze.js';

export const nodesUnfreeze: Command = {
  path: ['nodes', 'unfreeze'],
  summary: 'Unfreeze nodes: what is planned of them from now on starts',
  args: ['WORKFLOW', 'NODE...'],
  completes: 'workflow',
  options: FREEZE_OPTIONS,
  run: (ctx) => freezeNodes(ctx, 'unfreeze'),
};
