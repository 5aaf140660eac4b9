import type { Command } from '../command.js';
import { FREEZE_OPTIONS, freezeNode } from '../node-freeze.js';

export const nodesUnfreeze: Command = {
  path: ['nodes', 'unfreeze'],
  summary: 'Unfreeze a node: what is planned of it from now on starts',
  args: ['WORKFLOW', 'NODE'],
  completes: 'workflow',
  options: FREEZE_OPTIONS,
  run: (ctx) => freezeNode(ctx, 'unfreeze'),
};
