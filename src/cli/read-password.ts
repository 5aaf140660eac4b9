import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { usageError } from './cli-error.js';
import type { Flags } from './flags.js';
import type { CliIo } from './io.js';

/**
 * A password from stdin or from a file, without its final line break. There is no option that takes the
 * password itself: every user of the machine can read the arguments of a process.
 */
export async function readPassword(flags: Flags, io: CliIo): Promise<string | undefined> {
  const file = flags.text('password-file');
  if (file !== undefined && flags.isSet('password-stdin')) {
    throw usageError('--password-file and --password-stdin exclude each other', 'Use one of them.');
  }
  if (file !== undefined) {
    try {
      return withoutLineBreak(await readFile(resolve(io.cwd, file), 'utf8'));
    } catch {
      throw usageError(
        `The password file ${file} cannot be read`,
        'Check the path and its rights.',
      );
    }
  }
  if (!flags.isSet('password-stdin')) return undefined;
  const decoder = new TextDecoder();
  let text = '';
  for await (const piece of io.stdin) {
    text += typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true });
  }
  return withoutLineBreak(text);
}

function withoutLineBreak(text: string): string {
  return text.replace(/\r?\n$/, '');
}
