import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect, test } from '@jest/globals';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const LIMIT_MS = 20_000;

test('a worker ends with its parent also while it still waits for an api that is not there', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-orphan-'));
  const child = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: folder,
      MILLRACE_STDIN_CONFIG: '1',
      MILLRACE_ROLE: 'worker',
      // Nothing ever listens on the discard port here.
      MILLRACE_LINK_URL: 'http://127.0.0.1:9',
      MILLRACE_DATA_DIR: folder,
    },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  try {
    const ended = new Promise<string>((resolve) => {
      child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
      setTimeout(() => resolve('still alive'), LIMIT_MS).unref();
    });
    const asking = new Promise<void>((resolve) => {
      child.stderr.on('data', (text: Buffer) => {
        if (text.includes('the link does not answer')) resolve();
      });
    });
    child.stdin.write(`${JSON.stringify({ MILLRACE_LINK_TOKEN: 'mrw_test' })}\n`);
    await asking;
    child.stdin.end();
    expect(await ended).toBe('exit code 0');
  } finally {
    child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
});
