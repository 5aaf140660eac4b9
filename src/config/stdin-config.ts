import type { Readable } from 'node:stream';

import { z } from 'zod';

const overlaySchema = z.record(z.string(), z.string());

export interface StdinConfig {
  /** Settings, named as in the environment. Empty when this process was not started by a supervisor. */
  readonly overlay: Readonly<Record<string, string>>;
  /** Resolves when the parent is gone; never, when there is none. */
  readonly parentGone: Promise<void>;
}

/**
 * A supervised child (MILLRACE_STDIN_CONFIG=1) gets its secrets as one line of JSON on stdin, because the
 * environment and the arguments of a process can be read by others. The parent keeps the pipe open as
 * long as it lives.
 */
export async function readStdinConfig(
  env: Readonly<Record<string, string | undefined>> = process.env,
  stdin: Readable = process.stdin,
): Promise<StdinConfig> {
  if (env['MILLRACE_STDIN_CONFIG'] !== '1')
    return { overlay: {}, parentGone: new Promise<void>(() => undefined) };
  const parentGone = new Promise<void>((resolve) => {
    stdin.once('close', resolve);
    stdin.once('end', resolve);
    stdin.once('error', () => resolve());
  });
  const line = await firstLine(stdin, parentGone);
  return { overlay: overlaySchema.parse(JSON.parse(line)), parentGone };
}

async function firstLine(stdin: Readable, parentGone: Promise<void>): Promise<string> {
  const chunks: Buffer[] = [];
  const complete = new Promise<string>((resolve) => {
    // The listener stays, so that the pipe keeps flowing and its end is noticed.
    stdin.on('data', (chunk: Buffer | string) => {
      const bytes = Buffer.from(chunk);
      chunks.push(bytes);
      if (bytes.includes(0x0a)) {
        resolve(Buffer.concat(chunks).toString('utf8').split('\n', 1)[0] ?? '');
        chunks.length = 0;
      }
    });
  });
  const ended = parentGone.then(() => {
    throw new Error('the parent process ended before it sent the configuration');
  });
  return await Promise.race([complete, ended]);
}
