import type { Command } from '../command.js';
import { completionScript, isShell, SHELLS } from '../completion-script.js';
import { usageError } from '../cli-error.js';
import { EXIT } from '../exit-code.js';

export const completion: Command = {
  path: ['completion'],
  summary: 'Print the completion script of a shell',
  args: [SHELLS.join('|')],
  options: {},
  examples: ['source <(millrace completion bash)'],
  run({ args, io }) {
    const [shell = ''] = args;
    if (!isShell(shell)) throw usageError(`"${shell}" is not a known shell`, 'Use bash.');
    io.stdout(completionScript(shell));
    return Promise.resolve(EXIT.ok);
  },
};
