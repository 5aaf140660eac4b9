import { usageError } from '../cli-error.js';
import type { Command } from '../command.js';
import { completionScript, SHELLS } from '../completion-script.js';
import { EXIT } from '../exit-code.js';

export const completion: Command = {
  path: ['completion'],
  summary: 'Print the completion script of a shell',
  args: ['bash|zsh|fish'],
  options: {},
  examples: ['source <(millrace completion bash)'],
  run({ args, io, commands }) {
    const shell = SHELLS.find((name) => name === args[0]);
    if (shell === undefined) {
      throw usageError(`"${args[0] ?? ''}" is not a known shell`, `Use ${SHELLS.join(', ')}.`);
    }
    io.stdout(completionScript(commands, shell));
    return Promise.resolve(EXIT.ok);
  },
};
