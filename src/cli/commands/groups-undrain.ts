import type { Command } from '../command.js';
import { DRAIN_OPTIONS, drainGroup } from '../drain.js';

export const groupsUndrain: Command = {
  path: ['groups', 'undrain'],
  summary: 'Let a resource group that drains take work again',
  args: ['NAME'],
  options: DRAIN_OPTIONS,
  run: (ctx) => drainGroup(ctx, false),
};
