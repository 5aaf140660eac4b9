import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { usageError } from './cli-error.js';
import type { Flags } from './flags.js';
import type { CliIo } from './io.js';
import { readAll } from './read-password.js';

/** The token to be saved: from `--token-file`, pasted unseen on a terminal, or all of stdin. */
export async function readToken(flags: Flags, io: CliIo): Promise<string> {
  const file = flags.text('token-file');
  if (file === undefined)
    return (io.stdinIsTty ? await io.askUnseen('Paste an API token: ') : await readAll(io)).trim();
  try {
    return (await readFile(resolve(io.cwd, file), 'utf8')).trim();
  } catch {
    throw usageError(`The token file ${file} cannot be read`, 'Check the path and its rights.');
  }
}
