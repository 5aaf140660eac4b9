import { nearestName } from '../config/spelling.js';
import { usageError } from './cli-error.js';
import type { Command } from './command.js';

/** Short words for long ones, as first word of a command line. */
const ALIASES: Readonly<Record<string, string>> = {
  ds: 'datasources',
  wf: 'workflows',
  context: 'ctx',
};

export interface FoundCommand {
  readonly command: Command;
  /** The arguments without the words that named the command. */
  readonly rest: readonly string[];
}

/** The command whose words begin `argv`; options may not stand before them. */
export function findCommand(commands: readonly Command[], argv: readonly string[]): FoundCommand {
  const words = [ALIASES[argv[0] ?? ''] ?? argv[0] ?? '', ...argv.slice(1)];
  const command = commands.find((c) => c.path.every((word, i) => words[i] === word));
  if (command !== undefined) return { command, rest: argv.slice(command.path.length) };
  if (words[0]?.startsWith('-'))
    throw usageError(`${words[0]} stands before the command`, 'Put options after it.');
  const asked = argv.slice(0, 2).filter((word) => !word.startsWith('-'));
  const visible = commands.map((c) => c.path.join(' '));
  const verbs = visible.filter((path) => path.startsWith(`${words[0]} `));
  const near = nearest(words, visible);
  const choice =
    verbs.length > 0 ? `Use one of: ${verbs.join(', ')}.` : near === undefined ? SEE_HELP : '';
  const mean = near === undefined ? '' : `Did you mean \`millrace ${near}\`?`;
  throw usageError(
    `"${(verbs.length > 0 ? asked : asked.slice(0, 1)).join(' ')}" is not a command`,
    [choice, mean].filter(Boolean).join(' '),
  );
}

const SEE_HELP = 'See `millrace help`.';

/** The command that is written most alike: both words together, or the first alone. */
function nearest(words: readonly string[], paths: readonly string[]): string | undefined {
  const [first = '', second] = words;
  const firsts = [...new Set(paths.map((path) => path.split(' ')[0] ?? ''))];
  const group = firsts.includes(first) ? first : nearestName(first, firsts);
  if (group === undefined) return undefined;
  const verbs = paths
    .filter((path) => path.startsWith(`${group} `))
    .map((p) => p.split(' ')[1] ?? '');
  if (verbs.length === 0) return group;
  if (second === undefined) return `${group} ${verbs[0]}`;
  const verb = verbs.includes(second) ? second : nearestName(second, verbs);
  return verb === undefined ? undefined : `${group} ${verb}`;
}
