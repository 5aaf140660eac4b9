import { z } from 'zod';

import { secretSetting, setting } from './setting.js';

/** How the command line prints what it found. */
export const OUTPUT_FORMATS = ['table', 'json', 'yaml', 'jsonl', 'name'] as const;

export const clientSettings = {
  server: setting(
    'MILLRACE_SERVER',
    z.url({ protocol: /^https?$/ }).optional(),
    'Server the commands talk to.',
    'the one that `npm start` runs in this folder',
  ),
  context: setting(
    'MILLRACE_CONTEXT',
    z.string().min(1).optional(),
    'Name of a server and its token, made with `millrace login` or `millrace ctx add`. `local` is the server of this folder.',
    'the one of `millrace ctx use`',
  ),
  token: secretSetting('MILLRACE_TOKEN', 'API token for that server.'),
  tokenFile: setting(
    'MILLRACE_TOKEN_FILE',
    z.string().min(1).optional(),
    'File that holds the API token; better than the token itself.',
  ),
  workspace: setting(
    'MILLRACE_WORKSPACE',
    z.string().min(1).optional(),
    'Workspace the commands work in.',
    'the only one there is',
  ),
  output: setting(
    'MILLRACE_OUTPUT',
    z.enum(OUTPUT_FORMATS).default('table'),
    `Form of the answers: ${OUTPUT_FORMATS.join(', ')}.`,
    'table',
  ),
};
