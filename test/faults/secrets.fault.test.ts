import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

import { expect, test } from '@jest/globals';
import { z } from 'zod';

import { freePort } from '../../src/embedded/free-port.js';

/**
 * Dumps what a node can see of itself and of the processes above it up to `npm start` (process `$4`; what
 * lies above that is not ours to look at), then looks through the data folder for the words in `$1` and
 * for anything of the form of a worker's token.
 */
const LOOK = `
{ env
  pid=$$
  while [ "$pid" -gt 1 ]; do
    tr '\\0' '\\n' < /proc/$pid/environ
    tr '\\0' '\\n' < /proc/$pid/cmdline
    [ "$pid" = "$4" ] && break
    pid=$(sed -n 's/^PPid:[[:space:]]*//p' /proc/$pid/status)
  done
} > "$3" 2>&1
grep -rlaF -f "$1" "$2" > "$3.files" 2>/dev/null
grep -rlaE 'mrw_[A-Za-z0-9_-]{20,}' "$2" >> "$3.files" 2>/dev/null
true
`;

const keyringSchema = z.object({ secretKeys: z.array(z.string()), databasePassword: z.string() });

test('a shell node finds no key, no database password and no worker token in its reach', async () => {
  await using started = await Started.open();
  const { api, dataDir, folder } = started;
  const keyringPath = join(dirname(started.tokenFile), 'keyring.json');
  const keyring = keyringSchema.parse(JSON.parse(await readFile(keyringPath, 'utf8')));
  const canary = randomBytes(16).toString('hex');
  const secrets = [...keyring.secretKeys, keyring.databasePassword, started.token];
  // The canary proves that the search finds what is there.
  await writeFile(join(dataDir, 'canary'), canary);
  await writeFile(join(folder, 'words'), [...secrets, canary].join('\n'));
  const dump = join(folder, 'dump');
  const workflow = await api('POST', '/workspaces/sample/workflows', {
    name: 'look',
    draft: {
      nodes: [
        {
          id: 'look',
          type: 'shell',
          config: {
            command: LOOK,
            args: [join(folder, 'words'), dataDir, dump, String(started.pid)],
          },
        },
      ],
    },
  });
  await api('POST', `/workspaces/sample/workflows/${workflow.id}/submit`, {});
  const run = await api('POST', `/workspaces/sample/workflows/${workflow.id}/runs`, {
    bizdate: '2024-01-01',
  });
  let status = '';
  for (let tries = 0; tries < 600 && !['succeeded', 'failed'].includes(status); tries++) {
    await new Promise((next) => setTimeout(next, 100));
    status = (await api('GET', `/runs/${run.id}`)).instances?.[0]?.status ?? '';
  }
  expect(status).toBe('succeeded');

  const text = await readFile(dump, 'utf8');
  // The dump is not empty by accident: worker and supervisor are in it. Nothing of it is printed when
  // the test fails, because then there is a secret in it.
  const seen = (pattern: RegExp): boolean => pattern.test(text);
  expect(seen(/MILLRACE_ROLE=worker/)).toBe(true);
  expect(seen(/bin\/start\.mjs/)).toBe(true);
  expect(secrets.some((secret) => text.includes(secret))).toBe(false);
  expect(seen(/mrw_[\w-]{20,}/)).toBe(false);
  expect(seen(/MILLRACE_(SECRET_KEY|DATABASE_URL|LINK_TOKEN)/)).toBe(false);
  expect(seen(/postgres(?:ql)?:\/\//)).toBe(false);
  const files = (await readFile(`${dump}.files`, 'utf8')).trim().split('\n');
  expect(files).toEqual([join(dataDir, 'canary')]);

  const { exit, said } = await started.doctor();
  expect(secrets.some((secret) => said.includes(secret))).toBe(false);
  expect([exit, said.match(/^I\d [a-z ]+ok /gm)?.length]).toEqual([0, 8]);
}, 150_000);

const answerSchema = z.looseObject({
  id: z.string().optional(),
  instances: z.array(z.looseObject({ status: z.string() })).optional(),
});

/** `bin/start.mjs` in a folder of its own, as a user has it, until the end of the scope. */
class Started implements AsyncDisposable {
  readonly folder: string;
  readonly dataDir: string;
  readonly tokenFile: string;
  readonly token: string;
  readonly #url: string;
  readonly #child: ChildProcess;

  private constructor(
    child: ChildProcess,
    folder: string,
    server: { readonly url: string; readonly tokenFile: string },
    token: string,
  ) {
    this.#child = child;
    this.folder = folder;
    this.dataDir = join(folder, 'data');
    this.#url = server.url;
    this.tokenFile = server.tokenFile;
    this.token = token;
  }

  static async open(): Promise<Started> {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-secrets-'));
    // The embedded servers have accounts of their own and have to get in.
    await chmod(folder, 0o755);
    const child = spawn(process.execPath, [resolve('bin/start.mjs')], {
      env: { ...environmentOf(folder), MILLRACE_PORT: String(await freePort()) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    try {
      await untilRunning(child);
      const text = await readFile(join(folder, 'data', 'server.json'), 'utf8');
      const server = z.object({ url: z.string(), tokenFile: z.string() }).parse(JSON.parse(text));
      const token = (await readFile(server.tokenFile, 'utf8')).trim();
      return new Started(child, folder, server, token);
    } catch (error) {
      await end(child, folder);
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  readonly api = async (
    method: string,
    path: string,
    body?: unknown,
  ): Promise<z.output<typeof answerSchema>> => {
    const response = await fetch(`${this.#url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${text}`);
    return answerSchema.parse(JSON.parse(text));
  };

  /** What `millrace doctor --deep` says, as a user beside the running installation calls it. */
  async doctor(): Promise<{ readonly exit: number | null; readonly said: string }> {
    const child = spawn(process.execPath, [resolve('bin/millrace.mjs'), 'doctor', '--deep'], {
      env: environmentOf(this.folder),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (bytes: Buffer) => (said += bytes.toString()));
    await once(child, 'close');
    return { exit: child.exitCode, said };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#child, this.folder);
  }
}

function environmentOf(folder: string): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    XDG_CONFIG_HOME: join(folder, 'config'),
    MILLRACE_DATA_DIR: join(folder, 'data'),
  };
}

async function untilRunning(child: ChildProcess): Promise<void> {
  let said = '';
  await new Promise<void>((isRunning, reject) => {
    const hear = (bytes: Buffer): void => {
      said += bytes.toString();
      if (said.includes('Millrace is at')) isRunning();
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('exit', () => reject(new Error(`npm start ended: ${said}`)));
  });
}

async function end(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    await exit;
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
