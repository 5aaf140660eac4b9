export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export function isShell(word: string): word is Shell {
  return (SHELLS as readonly string[]).includes(word);
}

/** What the scripts call: `millrace __complete WORDS…`, the last word is the one being typed. */
export const COMPLETE = '__complete';

/** A script for the shell's start file. It asks this program, so that it need not be made anew with it. */
export function completionScript(shell: Shell): string {
  // zsh reads bash completions; one script cannot then drift from the other.
  if (shell === 'zsh') return `autoload -Uz bashcompinit && bashcompinit\n${BASH}`;
  return shell === 'bash' ? BASH : FISH;
}

const BASH = `_millrace() {
  local word
  COMPREPLY=()
  while IFS= read -r word; do
    COMPREPLY+=("$word")
  done < <(millrace ${COMPLETE} "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _millrace millrace
`;

const FISH = `complete -c millrace -f -a '(millrace ${COMPLETE} (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
complete -c millrace -F -n '__fish_seen_subcommand_from submit'
complete -c millrace -F -n 'string match -q -- "--*-file" (commandline -opc)[-1]'
`;
