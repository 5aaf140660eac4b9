import type { CommandOption } from './command.js';

/** Options every command understands. */
export const GLOBAL_OPTIONS: Readonly<Record<string, CommandOption>> = {
  output: { type: 'string', short: 'o', value: 'FORMAT', help: 'table, json, yaml or name' },
  server: { type: 'string', value: 'URL', help: 'address of the server' },
  'token-file': { type: 'string', value: 'FILE', help: 'file that holds an API token' },
  workspace: { type: 'string', value: 'NAME', help: 'workspace to work in' },
  yes: { type: 'boolean', short: 'y', help: 'do not ask' },
  debug: { type: 'boolean', help: 'print trace ids and stacks' },
  help: { type: 'boolean', short: 'h', help: 'print this help' },
};
