import { nearestName } from '../config/spelling.js';
import { usageError } from './cli-error.js';
import type { Command } from './command.js';

/** Short words for long ones, as first word of a command line. */
const ALIASES: Readonly<Record<string, string>> = { ds: 'datasources', wf: 'workflows' };

export interface FoundCommand {
  readonly command: Command;
  /** The arguments without the words that named the command. */
  readonly rest: readonly string[];
}

/** The command whose words begin `argv`; options may not stand before them. */
export function findCommand(commands: readonly Command[], argv: readonly string[]): FoundCommand {
  const words = [ALIASES[argv[0] ?? ''] ?? argv[0], ...argv.slice(1)];
  const command = commands.find((c) => c.path.every((word, i) => words[i] === word));
  if (command !== undefined) return { command, rest: argv.slice(command.path.length) };
  const verbs = commands.filter((c) => c.path.length > 1 && c.path[0] === words[0]);
  if (verbs.length > 0) {
    throw usageError(
      `"${argv.slice(0, 2).join(' ')}" is not a command`,
      `Use one of: ${verbs.map((c) => c.path.join(' ')).join(', ')}.`,
    );
  }
  const near = nearestName(argv[0] ?? '', [...new Set(commands.map((c) => c.path[0] ?? ''))]);
  throw usageError(
    `"${argv[0] ?? ''}" is not a command`,
    near === undefined ? 'See `millrace help`.' : `Did you mean \`millrace ${near}\`?`,
  );
}
