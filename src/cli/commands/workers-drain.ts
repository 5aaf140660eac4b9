import type { Command } from '../command.js';
import { DRAIN_OPTIONS, drainWorker } from '../drain.js';

export const workersDrain: Command = {
  path: ['workers', 'drain'],
  summary: 'Give a worker nothing new; what it has it finishes',
  args: ['WORKER'],
  options: DRAIN_OPTIONS,
  run: (ctx) => drainWorker(ctx, true),
};
