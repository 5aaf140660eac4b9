import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { usageError } from './cli-error.js';
import type { Flags } from './flags.js';
import type { CliIo } from './io.js';

/**
 * A password from stdin, from a file or, where there is a terminal and it `mayAsk`, typed unseen; without
 * its final line break. There is no option that takes the password itself: every user of the machine can
 * read the arguments of a process.
 */
export async function readPassword(
  flags: Flags,
  io: CliIo,
  mayAsk: boolean,
): Promise<string | undefined> {
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
  if (flags.isSet('password-stdin')) return withoutLineBreak(await readAll(io));
  if (!mayAsk || !io.stdinIsTty) return undefined;
  const typed = await io.askUnseen('Password (empty for none): ');
  return typed === '' ? undefined : typed;
}

/** All of stdin as text. */
export async function readAll(io: CliIo): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const piece of io.stdin) {
    text += typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true });
  }
  return text;
}

/** `//user:password@host` or `?password=…`. */
export function holdsPassword(url: string): boolean {
  return /:\/\/[^/?#\s]*:[^/?#\s]+@/.test(url) || /[?&;](password|pwd)=[^&;]/i.test(url);
}

function withoutLineBreak(text: string): string {
  return text.replace(/\r?\n$/, '');
}
