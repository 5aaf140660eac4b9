import type { Command } from '../command.js';
import { contextOf, LOCAL_CONTEXT, readContexts, writeContexts } from '../contexts.js';
import { EXIT } from '../exit-code.js';

export const ctxUse: Command = {
  path: ['ctx', 'use'],
  summary: 'Let commands go to another server; `local` is the one of this folder',
  args: ['NAME'],
  completes: 'context',
  options: {},
  async run({ args, io }) {
    const name = args[0] ?? '';
    const { contexts } = await readContexts(io.home);
    if (name === LOCAL_CONTEXT) {
      await writeContexts(io.home, { contexts });
      io.stderr('Commands go to the server that runs in their folder now.\n');
      return EXIT.ok;
    }
    const { server } = contextOf(contexts, name);
    await writeContexts(io.home, { current: name, contexts });
    io.stderr(`Commands go to ${name} (${server}) now.\n`);
    return EXIT.ok;
  },
};
