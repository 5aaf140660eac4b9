import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort } from '../../../src/embedded/free-port.js';
import { ROOT } from '../../../bin/run.mjs';

/**
 * A whole installation in a temporary folder: PostgreSQL, api, scheduler and two workers, started by the
 * command a user gives. Nothing of it is left after `close()`.
 */
export async function openInstallation() {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  mkdirSync(join(folder, 'home'));
  const port = await freePort();
  const child = spawn(process.execPath, ['bin/start.mjs'], {
    cwd: ROOT,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      HOME: join(folder, 'home'),
      MILLRACE_DATA_DIR: join(folder, 'data'),
      MILLRACE_PORT: String(port),
      MILLRACE_SAMPLE_TARGET: 'postgres',
    },
  });
  let text = '';
  const link = await new Promise((resolve, reject) => {
    const look = (chunk) => {
      text += chunk;
      const found = /Sign in once with (\S+)/.exec(text);
      if (found !== null) resolve(found[1]);
    };
    child.stdout.setEncoding('utf8').on('data', look);
    child.stderr.setEncoding('utf8').on('data', look);
    child.once('exit', (code) => reject(new Error(`npm start ended with ${code}:\n${text}`)));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    dataDir: join(folder, 'data'),
    home: join(folder, 'home'),
    link,
    async close() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.removeAllListeners('exit');
      const gone = new Promise((resolve) => child.once('exit', resolve));
      process.kill(child.pid, 'SIGTERM');
      await Promise.race([ended, gone]);
      rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}
