import type { Command } from '../command.js';
import { DRAIN_OPTIONS, drainGroup } from '../drain.js';

export const groupsDrain: Command = {
  path: ['groups', 'drain'],
  summary: 'Give the workers of a resource group nothing new; what runs goes on',
  args: ['NAME'],
  options: DRAIN_OPTIONS,
  run: (ctx) => drainGroup(ctx, true),
};
