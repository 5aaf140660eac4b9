import { createInterface } from 'node:readline/promises';
import { Readable } from 'node:stream';
import { parseArgs } from 'node:util';

import { z } from 'zod';

import { ApiClient } from './api/api-client.js';
import { findServer } from './api/find-server.js';
import { CliError, usageError } from './cli-error.js';
import { COMMANDS } from './command-list.js';
import type { Command, CommandContext } from './command.js';
import { EXIT } from './exit-code.js';
import { findCommand } from './find-command.js';
import { Flags } from './flags.js';
import { GLOBAL_OPTIONS } from './global-options.js';
import { commandHelp, generalHelp } from './help.js';
import { processIo, type CliIo } from './io.js';
import { Printer } from './output/printer.js';
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
    const { command, rest } = findCommand(COMMANDS, argv);
    const { flags, args } = parse(command, rest);
    if (flags.isSet('help')) {
      io.stdout(commandHelp(command));
      return EXIT.ok;
    }
    checkArgs(command, args);
    const settings = await readSettings(flags, io);
    return await command.run(contextOf(io, flags, args, settings));
  } catch (error) {
    if (io.signal.aborted) return EXIT.ok;
    return reportError(error, io, argv.includes('--debug'));
  }
}

function parse(command: Command, rest: readonly string[]): { flags: Flags; args: string[] } {
  try {
    const { values, positionals } = parseArgs({
      args: [...rest],
      options: Object.fromEntries(
        Object.entries({ ...GLOBAL_OPTIONS, ...command.options }).map(([name, option]) => [
          name,
          {
            type: option.type,
            multiple: option.multiple ?? false,
            ...(option.short === undefined ? {} : { short: option.short }),
          },
        ]),
      ),
      allowPositionals: true,
      strict: true,
    });
    return { flags: new Flags(values), args: positionals };
  } catch (error) {
    throw usageError(
      error instanceof Error ? (error.message.split('. ')[0] ?? error.message) : String(error),
      `See \`millrace help ${command.path.join(' ')}\`.`,
    );
  }
}

function checkArgs(command: Command, args: readonly string[]): void {
  const required = command.args.filter((arg) => !arg.startsWith('['));
  const missing = required[args.length];
  const see = `See \`millrace help ${command.path.join(' ')}\`.`;
  if (missing !== undefined) throw usageError(`${missing} is missing`, see);
  const takesMore = command.args.some((arg) => arg.includes('...'));
  const extra = args[command.args.length];
  if (extra !== undefined && !takesMore)
    throw usageError(`"${extra}" is one argument too many`, see);
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
    (client ??= findServer(settings).then((address) => new ApiClient(address)));
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

async function confirm(io: CliIo, settings: Settings, question: string): Promise<void> {
  if (settings.yes) return;
  if (!io.stdinIsTty) {
    throw usageError('This needs a yes, and there is no terminal to ask on', 'Add --yes.');
  }
  io.stderr(`${question} [y/N] `);
  const lines = createInterface({ input: Readable.from(io.stdin), crlfDelay: Infinity });
  for await (const line of lines) {
    if (/^y(es)?$/i.test(line.trim())) return;
    break;
  }
  throw new CliError('Not done', { exitCode: EXIT.usage, fix: 'Answer y, or add --yes.' });
}
