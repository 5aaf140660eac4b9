import { loadConfig } from '../../config/load-config.js';
import { usageError } from '../cli-error.js';
import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { reportError } from '../report-error.js';

export const start: Command = {
  path: ['start'],
  summary:
    'Start Millrace in this folder: database, api, scheduler, workers, sample; with MILLRACE_ROLE that role alone',
  args: [],
  options: {
    once: { type: 'boolean', help: 'run the sample without a browser, print the rows, end' },
  },
  async run({ flags, io }) {
    try {
      const { role } = loadConfig('command', io.env).process;
      if (role !== 'all') {
        if (flags.isSet('once'))
          throw usageError(
            `--once is not for MILLRACE_ROLE=${role}`,
            'Leave out one of them: the sample needs all roles.',
          );
        const { startRole } = await import('../start-role.js');
        return await startRole(role, io);
      }
      const { start: startMillrace } = await import('../start.js');
      return await startMillrace({ once: flags.isSet('once') }, io);
    } catch (error) {
      // A launcher knows only two ends; the finer codes are for commands that scripts branch on.
      reportError(error, io, flags.isSet('debug'));
      return EXIT.failed;
    }
  },
};
