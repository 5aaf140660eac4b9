import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, test } from '@jest/globals';

import { replaceWorkerToken } from '../../../src/embedded/sample/seed-workspace.js';
import { HttpLinkServer } from '../../../src/worker-link/http-link-server.js';
import { HttpWorkerLink } from '../../../src/worker-link/http-worker-link.js';
import { LINK_PROTOCOL } from '../../../src/worker-link/worker-link.js';
import { Line, node } from '../../support/line.js';
import { NetworkNamespace } from '../../support/network-namespace.js';
import { TlsFront } from '../../support/tls-front.js';

/** A line, its link over HTTP on this machine alone, and TLS in front of that. */
async function openWorld(host: string) {
  const line = await Line.open();
  const handler = new HttpLinkServer(line.link, line.database, line.clock);
  const server = createServer((request, response) => {
    handler.handle(request, response, () => response.writeHead(404).end());
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const front = await TlsFront.open({ host, to: (server.address() as AddressInfo).port });
  const token = await replaceWorkerToken(line.database, 'default', 'far');
  return {
    line,
    front,
    token,
    [Symbol.asyncDispose]: async () => {
      await front[Symbol.asyncDispose]();
      server.closeAllConnections();
      server.close();
      await line[Symbol.asyncDispose]();
    },
  };
}

/** A worker as it is started on another machine: by its environment alone, with a home of its own. */
class FarWorker implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #home: string;
  #said = '';

  private constructor(child: ChildProcess, home: string) {
    this.#child = child;
    this.#home = home;
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#said += text));
  }

  static async start(
    env: Readonly<Record<string, string>>,
    network?: NetworkNamespace,
  ): Promise<FarWorker> {
    const home = await mkdtemp(join(tmpdir(), 'millrace-far-'));
    await mkdir(join(home, 'data'));
    const main = [process.execPath, [resolve('dist/main.js')]] as const;
    const [command, args] = network?.command(...main) ?? main;
    const child = spawn(command, [...args], {
      cwd: home,
      env: {
        PATH: process.env['PATH'] ?? '',
        MILLRACE_ROLE: 'worker',
        MILLRACE_WORKER_NAME: 'far',
        MILLRACE_DATA_DIR: join(home, 'data'),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new FarWorker(child, home);
  }

  get said(): string {
    return this.#said;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const hasEnded = this.#child.exitCode !== null || this.#child.signalCode !== null;
    const ended = hasEnded ? undefined : once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
    await rm(this.#home, { recursive: true, force: true });
  }
}

async function until(what: string, holds: () => Promise<boolean>, worker: FarWorker) {
  for (let tries = 0; tries < 600; tries++) {
    if (await holds()) return;
    await sleep(100);
  }
  throw new Error(`waited in vain for ${what}; the worker has said: ${worker.said}`);
}

async function workersOf(line: Line): Promise<{ name: string; addresses: string[] }[]> {
  return await line.database.rows(
    `SELECT w.name, w.addresses FROM worker w JOIN resource_group g ON g.id = w.resource_group_id
      WHERE g.name = 'default'`,
  );
}

async function runThrough(line: Line, worker: FarWorker): Promise<void> {
  const { workflowId } = await line.submit('w', { nodes: [node('a'), node('b', ['a'])] });
  await line.run(workflowId, '2026-11-20');
  await until(
    'the run',
    async () => {
      await line.release();
      line.wakeBus.wake();
      const { a, b } = await line.statuses();
      return a === 'succeeded' && b === 'succeeded';
    },
    worker,
  );
}

describe('a worker process elsewhere, over HTTPS', () => {
  test('runs instances with nothing but the address, the token of its group and the authority', async () => {
    await using world = await openWorld('localhost');
    const { line, front, token } = world;
    await using worker = await FarWorker.start({
      MILLRACE_LINK_URL: front.url,
      MILLRACE_LINK_TOKEN: token,
      NODE_EXTRA_CA_CERTS: front.caFile,
    });
    await runThrough(line, worker);
    expect(await workersOf(line)).toMatchObject([{ name: 'far' }]);
  });

  test('in a network of its own tells the address that it reaches out from', async () => {
    await using network = await NetworkNamespace.open();
    if (network === undefined) {
      process.stdout.write('not verified: a worker in a network of its own (none can be made)\n');
      return;
    }
    await using world = await openWorld(network.outside);
    const { line, front, token } = world;
    await using worker = await FarWorker.start(
      {
        MILLRACE_LINK_URL: front.url,
        MILLRACE_LINK_TOKEN: token,
        NODE_EXTRA_CA_CERTS: front.caFile,
      },
      network,
    );
    await runThrough(line, worker);
    expect(await workersOf(line)).toEqual([{ name: 'far', addresses: [network.inside] }]);
  });

  test('does not talk to an API whose certificate it does not trust, and says what helps', async () => {
    await using world = await openWorld('localhost');
    const { line, front, token } = world;
    const link = new HttpWorkerLink({ url: front.url, token, timeoutMs: 5000 });
    const hello = {
      name: 'near',
      resourceGroup: '',
      protocol: LINK_PROTOCOL,
      capacity: 1,
      nodeTypes: [],
      dataSourceTypes: [],
      plugins: [],
      addresses: [],
    };
    await expect(link.register(hello)).rejects.toMatchObject({
      code: 'MR-A212',
      detail: expect.stringContaining('localhost'),
    });
    await using worker = await FarWorker.start({
      MILLRACE_LINK_URL: front.url,
      MILLRACE_LINK_TOKEN: token,
    });
    await until('its complaint', async () => worker.said.includes('MR-A212'), worker);
    expect(worker.said).toContain('NODE_EXTRA_CA_CERTS');
    expect(await workersOf(line)).toEqual([]);
  });

  test('does not take a certificate of a trusted authority for another name', async () => {
    await using world = await openWorld('localhost');
    const { line, front, token } = world;
    const { port } = new URL(front.url);
    await using worker = await FarWorker.start({
      MILLRACE_LINK_URL: `https://127.0.0.1:${port}`,
      MILLRACE_LINK_TOKEN: token,
      NODE_EXTRA_CA_CERTS: front.caFile,
    });
    await until('its complaint', async () => worker.said.includes('MR-A212'), worker);
    expect(worker.said).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(await workersOf(line)).toEqual([]);
  });
});
