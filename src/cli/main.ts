import { createInterface } from 'node:readline/promises';
import { Readable } from 'node:stream';

import { z } from 'zod';

import { ApiClient, type Exchange } from './api/api-client.js';
import { findServer } from './api/find-server.js';
import { CliError, usageError } from './cli-error.js';
import { COMMANDS } from './command-list.js';
import type { CommandContext } from './command.js';
import { complete } from './complete.js';
import { COMPLETE } from './completion-script.js';
import { EXIT } from './exit-code.js';
import { findCommand } from './find-command.js';
import type { Flags } from './flags.js';
import { commandHelp, generalHelp } from './help.js';
import { processIo, type CliIo } from './io.js';
import { Printer } from './output/printer.js';
import { parseWords } from './parse-words.js';
import { reportError } from './report-error.js';
import { readSettings, type Settings } from './settings.js';

/** The `millrace` command. `argv` is without node and script; resolves to the exit code. */
export async function main(argv: readonly string[], io: CliIo = processIo()): Promise<number> {
  try {
    const first = argv[0];
    if (first === undefined || first === '--help' || first === '-h') {
      io.stdout(generalHelp(COMMANDS));
      return first === undefined ? EXIT.usage : EXIT.ok;
    }
    if (first === COMPLETE) {
      const offered = await complete(COMMANDS, argv.slice(1), io);
      io.stdout(offered.map((word) => `${word}\n`).join(''));
      return EXIT.ok;
    }
    const { command, rest } = findCommand(COMMANDS, argv);
    if (asksForHelp(rest)) {
      io.stdout(commandHelp(command));
      return EXIT.ok;
    }
    const { flags, args } = parseWords(command, rest);
    const settings = await readSettings(flags, io);
    return await command.run(contextOf(io, flags, args, settings));
  } catch (error) {
    if (io.signal.aborted) return EXIT.ok;
    return reportError(error, io, argv.includes('--debug'));
  }
}

/** Also where an argument is missing: that is when one asks. */
function asksForHelp(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  return words.slice(0, end < 0 ? undefined : end).some((w) => w === '--help' || w === '-h');
}

const workspaceSchema = z.looseObject({ name: z.string() });

function contextOf(
  io: CliIo,
  flags: Flags,
  args: readonly string[],
  settings: Settings,
): CommandContext {
  let client: Promise<ApiClient> | undefined;
  const api = (): Promise<ApiClient> =>
    (client ??= findServer(settings).then(
      (address) =>
        new ApiClient(address, settings.debug ? (each) => sayExchange(io, each) : undefined),
    ));
  return {
    io,
    flags,
    args,
    commands: COMMANDS,
    settings,
    printer: new Printer(io, settings),
    api,
    workspace: async () => settings.workspace ?? (await onlyWorkspace(await api())),
    confirm: (question) => confirm(io, settings, question),
  };
}

async function onlyWorkspace(api: ApiClient): Promise<string> {
  const { items } = await api.list('/workspaces', workspaceSchema, 100);
  const [only, ...others] = items;
  if (only === undefined) {
    throw new CliError('You are a member of no workspace', {
      exitCode: EXIT.auth,
      fix: 'Ask an administrator to add you to one.',
    });
  }
  if (others.length > 0) {
    throw usageError(
      'There is more than one workspace',
      `Choose one with --workspace: ${items.map((w) => w.name).join(', ')}.`,
    );
  }
  return only.name;
}

function sayExchange(io: CliIo, { method, path, status, elapsedMs, traceId }: Exchange): void {
  const trace = traceId === undefined ? '' : `, trace ${traceId}`;
  io.stderr(`debug: ${method} ${path}: ${status} in ${Math.round(elapsedMs)} ms${trace}\n`);
}

async function confirm(
  io: CliIo,
  settings: Settings,
  question: () => Promise<string> | string,
): Promise<void> {
  if (settings.yes) return;
  if (!io.stdinIsTty) {
    throw usageError(
      'This needs a yes, and there is no terminal to ask on',
      'Add --yes; --dry-run shows first what would be done.',
    );
  }
  io.stderr(`${await question()} [y/N] `);
  const lines = createInterface({ input: Readable.from(io.stdin), crlfDelay: Infinity });
  for await (const line of lines) {
    if (/^y(es)?$/i.test(line.trim())) return;
    break;
  }
  throw new CliError('Not done', { exitCode: EXIT.usage, fix: 'Answer y, or add --yes.' });
}
