import { OUTPUT_FORMATS } from '../config/client-settings.js';
import type { CommandOption } from './command.js';

/** Options every command understands. */
export const GLOBAL_OPTIONS: Readonly<Record<string, CommandOption>> = {
  output: {
    type: 'string',
    short: 'o',
    value: 'FORMAT',
    choices: OUTPUT_FORMATS,
    help: OUTPUT_FORMATS.join(', '),
  },
  server: { type: 'string', value: 'URL', help: 'address of the server' },
  'token-file': { type: 'string', value: 'FILE', help: 'file that holds an API token' },
  context: {
    type: 'string',
    value: 'NAME',
    completes: 'context',
    help: 'a server with its token, see `ctx ls`; `local` is the one of this folder',
  },
  workspace: { type: 'string', value: 'NAME', help: 'workspace to work in' },
  yes: { type: 'boolean', short: 'y', help: 'do not ask' },
  'no-color': { type: 'boolean', help: 'no colours, also on a terminal (as NO_COLOR=1)' },
  debug: { type: 'boolean', help: 'print every request, trace ids and stacks' },
  help: { type: 'boolean', short: 'h', help: 'print this help' },
};

/** Of every verb that changes something. */
export const DRY_RUN: CommandOption = {
  type: 'boolean',
  help: 'show what would be done, and do nothing',
};
