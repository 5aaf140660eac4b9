import type { Command } from '../command.js';
import { contextOf, readContexts, removeContext } from '../contexts.js';
import { EXIT } from '../exit-code.js';
import { DRY_RUN } from '../global-options.js';

export const ctxRm: Command = {
  path: ['ctx', 'rm'],
  summary: 'Forget a server and its token',
  args: ['NAME'],
  completes: 'context',
  options: { 'dry-run': DRY_RUN },
  async run({ args, io, settings, confirm }) {
    const name = args[0] ?? '';
    const { server } = contextOf((await readContexts(io.home)).contexts, name);
    if (settings.dryRun) {
      io.stderr(`Would forget ${name} (${server}) and its token. Nothing was changed.\n`);
      return EXIT.ok;
    }
    await confirm(() => `Forget ${name} (${server}) and its token?`);
    await removeContext(io.home, name);
    io.stderr(`Forgot ${name}. The token itself is valid until it is revoked on the server.\n`);
    return EXIT.ok;
  },
};
