import type { Command } from '../command.js';

export const start: Command = {
  path: ['start'],
  summary: 'Start Millrace in this folder: database, api, scheduler, workers, sample',
  args: [],
  options: {
    once: { type: 'boolean', help: 'run the sample without a browser, print the rows, end' },
  },
  async run({ flags, io }) {
    const { start: startMillrace } = await import('../start.js');
    return await startMillrace({ once: flags.isSet('once') }, io);
  },
};
