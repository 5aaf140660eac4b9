import type { Command } from './command.js';
import { GLOBAL_OPTIONS } from './global-options.js';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** A script for the shell's start file: words of the verbs, then their options. */
export function completionScript(commands: readonly Command[], shell: Shell): string {
  if (shell === 'fish') return fishScript(commands);
  // zsh reads bash completions; one script cannot then drift from the other.
  const head = shell === 'zsh' ? 'autoload -Uz bashcompinit && bashcompinit\n' : '';
  return head + bashScript(commands);
}

function bashScript(commands: readonly Command[]): string {
  const cases = commands.map((command) => {
    const pattern = command.path.join(' ');
    return `    "${pattern}"*) words="${optionNames(command.options).join(' ')}" ;;`;
  });
  return `_millrace() {
  local line="\${COMP_WORDS[*]:1:COMP_CWORD-1}" word="\${COMP_WORDS[COMP_CWORD]}" words=""
  case "$line" in
    "") words="${firstWords(commands).join(' ')}" ;;
${groups(commands)
  .map(([group, verbs]) => `    "${group}") words="${verbs.join(' ')}" ;;`)
  .join('\n')}
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _millrace millrace
`;
}

function fishScript(commands: readonly Command[]): string {
  const first = firstWords(commands).map(
    (word) => `complete -c millrace -f -n __fish_use_subcommand -a ${word}`,
  );
  const verbs = groups(commands).flatMap(([group, names]) =>
    names.map((n) => `complete -c millrace -f -n '__fish_seen_subcommand_from ${group}' -a ${n}`),
  );
  const options = commands.flatMap((command) =>
    Object.entries(command.options).map(
      ([name, option]) =>
        `complete -c millrace -n '__fish_seen_subcommand_from ${command.path.at(-1) ?? ''}' -l ${name} -d '${option.help.replaceAll("'", "\\'")}'`,
    ),
  );
  const global = Object.entries(GLOBAL_OPTIONS).map(
    ([name, option]) => `complete -c millrace -l ${name} -d '${option.help}'`,
  );
  return `${[...first, ...verbs, ...options, ...global].join('\n')}\n`;
}

function firstWords(commands: readonly Command[]): string[] {
  return [...new Set(commands.map((command) => command.path[0] ?? ''))];
}

function groups(commands: readonly Command[]): [string, string[]][] {
  return firstWords(commands)
    .map((word): [string, string[]] => [
      word,
      commands.filter((c) => c.path[0] === word).flatMap((c) => c.path.slice(1, 2)),
    ])
    .filter(([, verbs]) => verbs.length > 0);
}

function optionNames(options: Readonly<Record<string, unknown>>): string[] {
  return [...Object.keys(options), ...Object.keys(GLOBAL_OPTIONS)].map((name) => `--${name}`);
}
