import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import type { ServersHandle } from './servers-handle.js';

/**
 * Starts the private servers, once per run. They are held by a process of its own, because jest compiles
 * this file to CommonJS (it can import nothing of ours) and skips the teardown when it is interrupted.
 */
export default async function globalSetup(): Promise<void> {
  const root = process.cwd();
  const holder = spawn(
    process.execPath,
    [
      '--import',
      join(root, 'test/support/typescript-loader.mjs'),
      join(root, 'test/support/private-servers-main.ts'),
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  process.env['MILLRACE_TEST_SERVERS'] = await addresses(holder);
  const handle: ServersHandle = {
    millraceTestServersStop: async () => {
      const ended = new Promise((resolve) => holder.once('exit', resolve));
      holder.stdin.end();
      await ended;
    },
  };
  Object.assign(globalThis, handle);
}

async function addresses(holder: ChildProcess): Promise<string> {
  if (holder.stdout === null) throw new Error('the server process has no output');
  for await (const line of createInterface(holder.stdout)) {
    if (line.startsWith('{')) return line;
    process.stdout.write(`${line}\n`);
  }
  throw new Error('the servers of the test run did not start; the reason is above');
}
