import { z } from 'zod';

import { ApiClient } from '../api/api-client.js';
import { checkedToken } from '../api/find-server.js';
import { CliError, usageError } from '../cli-error.js';
import type { Command, CommandContext } from '../command.js';
import { checkContextName, saveContext } from '../contexts.js';
import { EXIT } from '../exit-code.js';
import { readLocalServer } from '../local-server.js';
import { readToken } from '../read-token.js';

const urlSchema = z.url({ protocol: /^https?$/ });
const meSchema = z.looseObject({ name: z.string() });

export const login: Command = {
  path: ['login'],
  summary: 'Print a link that signs a browser in here, or sign in to the server at URL',
  args: ['[URL]'],
  options: {
    name: { type: 'string', value: 'NAME', help: 'name of the context (default: the host of URL)' },
    user: { type: 'string', value: 'NAME', help: 'without URL: whom to sign in (default: admin)' },
  },
  examples: ['millrace login', 'millrace login https://millrace.example.com --name prod'],
  run: (ctx) => (ctx.args[0] === undefined ? printLink(ctx) : saveServer(ctx, ctx.args[0])),
};

/** Whoever can open the database of the installation may sign in as anybody. */
async function printLink({ io, flags, settings, printer }: CommandContext): Promise<number> {
  const local = await readLocalServer(settings.dataDir);
  if (local === undefined) {
    throw new CliError(`No Millrace runs in this folder (${settings.dataDir} names no server)`, {
      exitCode: EXIT.timeout,
      fix: 'Start it with `npm start`, or name a server: millrace login URL.',
    });
  }
  const { findDatabase, withDatabase } = await import('../find-database.js');
  const { createLoginLink } = await import('../../store/first-administrator.js');
  const found = findDatabase(settings.dataDir, io.env);
  const user = flags.text('user') ?? 'admin';
  const link = await withDatabase(found, 'millrace login', (database) =>
    createLoginLink(database, { userName: user, baseUrl: local.url }),
  );
  printer.one({ user, link }, link, () => `${link}\n`);
  io.stderr(`Open it within 15 minutes; it signs ${user} in once.\n`);
  return EXIT.ok;
}

async function saveServer({ io, flags, printer }: CommandContext, url: string): Promise<number> {
  if (!urlSchema.safeParse(url).success)
    throw usageError(`"${url}" is not the address of a server`, 'Write it as https://host:port.');
  const server = url.replace(/\/+$/, '');
  const name = flags.text('name') ?? new URL(server).hostname;
  checkContextName(name);
  const token = checkedToken(await readToken(flags, io), 'What was given');
  const me = await new ApiClient({ server, token }).get('/me', meSchema);
  const workspace = flags.text('workspace');
  const context = { server, ...(workspace === undefined ? {} : { workspace }) };
  await saveContext(io.home, name, context, token);
  printer.one(
    { name, user: me.name, ...context },
    name,
    () => `Signed in to ${server} as ${me.name}. Commands go there now; context ${name}.\n`,
  );
  return EXIT.ok;
}
