import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { expect, test } from '@jest/globals';

import { ApiClient } from './api/api-client.js';
import { watchRun } from './run-watch.js';

function instance(name: string, status: string, times: { startedAt?: string; endedAt?: string }) {
  const named = { id: name, name };
  const [bizdate, scheduledTime] = ['2026-11-20', '2026-11-21T00:00:00Z'];
  return { id: name, status, workflow: named, node: named, bizdate, scheduledTime, ...times };
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
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ id: 'run_1', instances }));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  try {
    const { port } = server.address() as AddressInfo;
    const told: string[] = [];
    await watchRun(new ApiClient({ server: `http://127.0.0.1:${port}`, token: 'x' }), 'run_1', {
      timeoutSeconds: 10,
      signal: new AbortController().signal,
      onChange: ({ id }) => told.push(id),
    });
    expect(told).toEqual(['first', 'second', 'cancelled']);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
