import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { expect, test } from '@jest/globals';

import { ApiClient } from './api/api-client.js';
import type { CliIo } from './io.js';
import { watchRun } from './run-watch.js';
import { endOfSample } from './start-sample.js';

function instance(name: string, status: string, times: { startedAt?: string; endedAt?: string }) {
  const named = { id: name, name };
  const [bizdate, scheduledTime] = ['2026-11-20', '2026-11-21T00:00:00Z'];
  return { id: name, status, workflow: named, node: named, bizdate, scheduledTime, ...times };
}

/** An api that has one run, for as long as it is asked. */
async function withRun(
  instances: readonly object[],
  ask: (api: ApiClient) => Promise<void>,
): Promise<void> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ id: 'run_1', instances }));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  try {
    const { port } = server.address() as AddressInfo;
    await ask(new ApiClient({ server: `http://127.0.0.1:${port}`, token: 'x' }));
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test('what has happened between two looks is told in the order of its times', async () => {
  const instances = [
    instance('cancelled', 'cancelled', {}),
    instance('second', 'succeeded', {
      startedAt: '2026-11-21T00:00:01.200Z',
      endedAt: '2026-11-21T00:00:01.300Z',
    }),
    instance('first', 'succeeded', {
      startedAt: '2026-11-21T00:00:01.000Z',
      endedAt: '2026-11-21T00:00:01.100Z',
    }),
  ];
  await withRun(instances, async (api) => {
    const told: string[] = [];
    await watchRun(api, 'run_1', {
      timeoutSeconds: 10,
      signal: new AbortController().signal,
      onChange: ({ id }) => told.push(id),
    });
    expect(told).toEqual(['first', 'second', 'cancelled']);
  });
});

test('a start whose sample waits behind other work says so and goes on', async () => {
  await withRun([instance('load', 'waiting_resource', {})], async (api) => {
    let said = '';
    const io = { stderr: (text: string) => (said += text) } as unknown as CliIo;
    const signal = new AbortController().signal;
    expect(await endOfSample('run_1', { api, io, signal, timeoutSeconds: 0 })).toBeUndefined();
    expect(said).toMatch(/^The sample is not over: run_1 has not ended within 0 s; it goes on\./);
  });
});
