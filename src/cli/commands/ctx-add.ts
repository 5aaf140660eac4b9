import { checkedToken } from '../api/find-server.js';
import type { Command } from '../command.js';
import { checkContextName, saveContext } from '../contexts.js';
import { EXIT } from '../exit-code.js';
import { readToken } from '../read-token.js';

export const ctxAdd: Command = {
  path: ['ctx', 'add'],
  summary: 'Save a server and its token under a name, and use it from now on',
  args: ['NAME'],
  options: {},
  examples: ['millrace ctx add prod --server https://millrace.example.com --token-file token'],
  async run({ args, flags, io, printer }) {
    const name = args[0] ?? '';
    checkContextName(name);
    const server = flags.required('server', '--server https://millrace.example.com');
    const token = checkedToken(await readToken(flags, io), 'What was given');
    const workspace = flags.text('workspace');
    const context = { server, ...(workspace === undefined ? {} : { workspace }) };
    await saveContext(io.home, name, context, token);
    printer.one({ name, ...context }, name, () => `Commands go to ${name} (${server}) now.\n`);
    return EXIT.ok;
  },
};
