import type { Command } from '../command.js';
import { EXIT } from '../exit-code.js';
import { findCommand } from '../find-command.js';
import { commandHelp, generalHelp } from '../help.js';

export const help: Command = {
  path: ['help'],
  summary: 'Explain a command',
  args: ['[COMMAND...]'],
  completes: 'command',
  options: {},
  run({ args, io, commands }) {
    io.stdout(
      args.length === 0 ? generalHelp(commands) : commandHelp(findCommand(commands, args).command),
    );
    return Promise.resolve(EXIT.ok);
  },
};
