import type { Command } from '../command.js';
import { DRAIN_OPTIONS, drainWorker } from '../drain.js';

export const workersUndrain: Command = {
  path: ['workers', 'undrain'],
  summary: 'Let a worker that drains take work again',
  args: ['WORKER'],
  options: DRAIN_OPTIONS,
  run: (ctx) => drainWorker(ctx, false),
};
