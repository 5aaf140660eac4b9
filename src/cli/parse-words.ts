import { parseArgs } from 'node:util';

import { didYouMean, usageError } from './cli-error.js';
import type { Command, CommandOption } from './command.js';
import { Flags } from './flags.js';
import { GLOBAL_OPTIONS } from './global-options.js';

export interface ParsedWords {
  readonly flags: Flags;
  readonly args: readonly string[];
}

/** The words after the verb. @throws exit 2, with the nearest known word where there is one */
export function parseWords(command: Command, words: readonly string[]): ParsedWords {
  const options = { ...GLOBAL_OPTIONS, ...command.options };
  const see = seeHelp(command);
  try {
    const { values, positionals, tokens } = parseArgs({
      args: [...words],
      options: Object.fromEntries(
        Object.entries(options).map(([name, { type, multiple, short }]) => [
          name,
          { type, multiple: multiple ?? false, ...(short === undefined ? {} : { short }) },
        ]),
      ),
      allowPositionals: true,
      strict: true,
      tokens: true,
    });
    const once = new Set<string>();
    for (const token of tokens) {
      if (token.kind !== 'option') continue;
      const option = options[token.name];
      if (option !== undefined && token.value !== undefined)
        checkChoice(`--${token.name} `, token.value, option);
      // The last of two would win in silence.
      if (option?.type === 'string' && option.multiple !== true && once.has(token.name))
        throw usageError(`--${token.name} is given twice`, 'Give it once.');
      once.add(token.name);
    }
    checkArgs(command, positionals);
    return { flags: new Flags(values), args: positionals };
  } catch (error) {
    if (!isParseError(error)) throw error;
    const unknown = /^Unknown option '(-[^']*)'/.exec(error.message)?.[1];
    if (unknown === undefined) throw usageError(error.message.split(/\.\s/)[0] ?? '', see);
    const known = Object.keys(options).map((name) => `--${name}`);
    throw usageError(`${unknown} is not known here`, `${see}${didYouMean(unknown, known)}`);
  }
}

function isParseError(error: unknown): error is { readonly message: string } {
  return (
    typeof error === 'object' &&
    error !== null &&
    'message' in error &&
    'code' in error &&
    String(error.code).startsWith('ERR_PARSE_ARGS')
  );
}

function checkChoice(
  what: string,
  word: string,
  { choices }: Pick<CommandOption, 'choices'>,
): void {
  if (choices === undefined || choices.includes(word)) return;
  throw usageError(
    `${what}"${word}" is not known`,
    `Use one of: ${choices.join(', ')}.${didYouMean(word, choices)}`,
  );
}

function checkArgs(command: Command, args: readonly string[]): void {
  const see = seeHelp(command);
  const required = command.args.filter((arg) => !arg.startsWith('['));
  const missing = required[args.length];
  if (missing !== undefined) throw usageError(`${missing} is missing`, see);
  const takesMore = command.args.some((arg) => arg.includes('...'));
  const extra = args[command.args.length];
  if (extra !== undefined && !takesMore)
    throw usageError(`"${extra}" is one argument too many`, see);
  for (const [i, word] of args.entries()) {
    const arg = command.args[i] ?? command.args.at(-1) ?? '';
    // An empty shell variable: as a path of the api it would name another thing.
    if (word.trim() === '') throw usageError(`${arg.replace('...', '')} is empty`, see);
    const choices = choicesOf(arg);
    if (choices !== undefined) checkChoice('', word, { choices });
  }
}

/** `bash|zsh|fish` is one of three words; other arguments are free. */
export function choicesOf(arg: string): readonly string[] | undefined {
  return arg.includes('|') ? arg.replaceAll(/[[\]]|\.\.\./g, '').split('|') : undefined;
}

function seeHelp(command: Command): string {
  return `See \`millrace help ${command.path.join(' ')}\`.`;
}
