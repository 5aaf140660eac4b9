import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { expect, test } from '@jest/globals';

import { postBytes } from './post-bytes.js';

/** A server that does this with every call, on a port of its own. */
async function serve(
  answer: (response: ServerResponse) => void,
): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer((_, response) => answer(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const postTo = (port: number, limitMs = 5000, signal?: AbortSignal) =>
  postBytes({ to: { host: '127.0.0.1', port }, body: Buffer.from('{}'), limitMs, signal });

test('joins an answer that comes in pieces', async () => {
  await using server = await serve((response) => {
    response.writeHead(201);
    response.write('one ');
    setTimeout(() => response.end('two'), 20);
  });
  const { status, body } = await postTo(server.port);
  expect([status, body.toString()]).toEqual([201, 'one two']);
});

test.each([
  ['no answer', () => undefined],
  ['half an answer', (response: ServerResponse) => response.write('one')],
])('fails after its limit where there is %s', async (_, answer) => {
  await using server = await serve(answer);
  await expect(postTo(server.port, 100)).rejects.toThrow('no answer within 100 ms');
});

test.each([true, false])('fails when it is given up, before it began: %s', async (isBefore) => {
  await using server = await serve(() => undefined);
  const giveUp = new AbortController();
  if (isBefore) giveUp.abort();
  const answer = postTo(server.port, 5000, giveUp.signal);
  setTimeout(() => giveUp.abort(), 20);
  await expect(answer).rejects.toThrow('the call was given up');
});

test('fails where the connection goes within the answer', async () => {
  await using server = await serve((response) => {
    response.writeHead(200, { 'content-length': 10 });
    response.write('one');
    setTimeout(() => response.destroy(), 20);
  });
  await expect(postTo(server.port)).rejects.toMatchObject({ code: 'ECONNRESET' });
});
