import { type AddressInfo, connect, createServer } from 'node:net';

import { expect, test } from '@jest/globals';

import { Database } from '../../../src/store/database.js';
import { openStore } from '../../support/store.js';

const TIMES = 50;

test.each(['a pool of the store', 'one for few rows'])(
  'a connection that the server has ended is not handed out again, in %s',
  async (which) => {
    await using store = await openStore();
    const sql = which === 'one for few rows' ? store.database.few : store.database;
    for (let times = 0; times < TIMES; times++) {
      // The server's word on it comes before the socket is closed.
      await expect(sql.rows('SELECT pg_terminate_backend(pg_backend_pid())')).rejects.toMatchObject(
        { code: '57P01' },
      );
      expect(await sql.rows('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    }
  },
);

test.each(['a pool of the store', 'one for few rows'])(
  'a server that ends a connection together with its greeting does not end the process, in %s',
  async (which) => {
    await using store = await openStore();
    await using server = await openStoppingServer(store.url);
    const options = { url: server.url, applicationName: 'millrace test', poolSize: 10 };
    await using database = await Database.open(options);
    const sql = which === 'one for few rows' ? database.few : database;
    await sql.rows('SELECT 1');
    server.stop();
    const answers = await Promise.allSettled(
      // More at a time than it has connections yet.
      Array.from({ length: 4 }, () => sql.rows('SELECT pg_sleep(0.2)')),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'rejected',
    ]);
  },
);

interface StoppingServer extends AsyncDisposable {
  readonly url: string;
  /** From now on it greets whoever comes and sends him away in one packet. */
  stop(): void;
}

/** Passes connections on to a real server until it stops, as one that is just being stopped does. */
async function openStoppingServer(url: string): Promise<StoppingServer> {
  const { hostname, port } = new URL(url);
  let isStopping = false;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    if (isStopping) socket.once('data', () => socket.end(GREETING_AND_END));
    else {
      const upstream = connect(Number(port), hostname);
      upstream.on('error', () => socket.destroy());
      socket.pipe(upstream).pipe(socket);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const own = new URL(url);
  own.port = String((server.address() as AddressInfo).port);
  own.searchParams.delete('host');
  return {
    url: own.href,
    stop: () => (isStopping = true),
    [Symbol.asyncDispose]: async () => {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const GREETING_AND_END = Buffer.concat([
  message('R', Buffer.alloc(4)),
  message('Z', Buffer.from('I')),
  message('E', Buffer.from(['SFATAL', 'VFATAL', 'C57P01', 'Mit stops', '', ''].join('\0'))),
]);

function message(type: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
}
