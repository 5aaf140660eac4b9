import type { Command } from '../command.js';
import { FREEZE_OPTIONS, freezeNode } from '../node-freeze.js';

export const nodesFreeze: Command = {
  path: ['nodes', 'freeze'],
  summary: 'Freeze a node: what is planned of it from now on does not start',
  args: ['WORKFLOW', 'NODE'],
  completes: 'workflow',
  options: FREEZE_OPTIONS,
  examples: ['millrace nodes freeze orders load --instances'],
  run: (ctx) => freezeNode(ctx, 'freeze'),
};
