import { parseArgs } from 'node:util';

import type { Command, CommandOption, Completes } from './command.js';
import { completionNames } from './completion-names.js';
import { findCommand } from './find-command.js';
import { Flags } from './flags.js';
import { GLOBAL_OPTIONS } from './global-options.js';
import type { CliIo } from './io.js';
import { choicesOf } from './parse-words.js';

/** What may stand where the last of `words` is being typed. Never throws: a shell would show it. */
export async function complete(
  commands: readonly Command[],
  words: readonly string[],
  io: CliIo,
): Promise<readonly string[]> {
  // bash makes `--output`, `=`, `js` of `--output=js`.
  const before = words.slice(0, -1).filter((word) => word !== '=');
  const current = (words.at(-1) ?? '').replace(/^=$/, '');
  try {
    const offered = await offers(commands, before, current, io);
    return offered.filter((word) => word.startsWith(current));
  } catch {
    return [];
  }
}

async function offers(
  commands: readonly Command[],
  before: readonly string[],
  current: string,
  io: CliIo,
): Promise<readonly string[]> {
  const found = commandOf(commands, before);
  if (found === undefined) return nextWords(commands, before);
  const { command, rest } = found;
  const options = { ...GLOBAL_OPTIONS, ...command.options };
  const { flags, args } = parseLoosely(options, rest);
  const option = optionBefore(options, rest);
  if (option !== undefined)
    return option.choices ?? (await named(commands, option.completes, flags, io));
  if (current.startsWith('-')) return Object.keys(options).map((name) => `--${name}`);
  if (command.path[0] === 'help') return nextWords(commands, args);
  const arg = command.args[args.length] ?? command.args.findLast((each) => each.includes('...'));
  if (arg === undefined) return [];
  return choicesOf(arg) ?? (await named(commands, command.completes, flags, io));
}

function commandOf(
  commands: readonly Command[],
  words: readonly string[],
): ReturnType<typeof findCommand> | undefined {
  try {
    return findCommand(commands, words);
  } catch {
    return undefined;
  }
}

/** The next word of every command that begins with these. */
function nextWords(commands: readonly Command[], words: readonly string[]): string[] {
  const fitting = commands.filter(({ path }) => words.every((word, i) => path[i] === word));
  return [...new Set(fitting.flatMap(({ path }) => path.slice(words.length, words.length + 1)))];
}

/** The option whose value is being typed. */
function optionBefore(
  options: Readonly<Record<string, CommandOption>>,
  words: readonly string[],
): CommandOption | undefined {
  const last = words.at(-1) ?? '';
  const found = Object.entries(options).find(
    ([name, { short }]) => last === `--${name}` || (short !== undefined && last === `-${short}`),
  )?.[1];
  return found?.type === 'string' ? found : undefined;
}

function parseLoosely(
  options: Readonly<Record<string, CommandOption>>,
  words: readonly string[],
): { readonly flags: Flags; readonly args: readonly string[] } {
  const { values, positionals } = parseArgs({
    args: [...words],
    options: Object.fromEntries(
      Object.entries(options).map(([name, { type, short }]) => [
        name,
        { type, ...(short === undefined ? {} : { short }) },
      ]),
    ),
    allowPositionals: true,
    strict: false,
  });
  return { flags: new Flags(values), args: positionals };
}

async function named(
  commands: readonly Command[],
  completes: Completes | undefined,
  flags: Flags,
  io: CliIo,
): Promise<readonly string[]> {
  if (completes === undefined) return [];
  if (completes === 'command') return nextWords(commands, []);
  return await completionNames(completes, flags, io);
}
