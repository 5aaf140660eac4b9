import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { postgresSourceSchema } from '../../plugins/postgres/src/config.js';
import { openSession } from '../../plugins/postgres/src/session.js';
import { OwnPostgres } from '../support/own-postgres.js';

/** The server's process of a connection says good-bye when it finds the main process dead. */
const GOOD_BYE = /unexpected postmaster exit/;

const processesOf = ({ server: { pid } }: OwnPostgres): number =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').length;

describe('PostgreSQL killed while a connection asks for TLS: a lost connection, which is tried again', () => {
  let own: OwnPostgres;
  beforeEach(async () => void (own = await OwnPostgres.start()));
  afterEach(async () => await own[Symbol.asyncDispose]());

  /** A way to the server on which it dies around its first answer, and all it said comes at once. */
  async function openWay(dies: 'before' | 'after'): Promise<AsyncDisposable & { port: number }> {
    const way = createServer(
      (client) => void pass(client, dies).catch((e: Error) => client.destroy(e)),
    );
    way.listen(0, '127.0.0.1');
    await once(way, 'listening');
    return {
      port: (way.address() as AddressInfo).port,
      [Symbol.asyncDispose]: async () => {
        way.close();
        await once(way, 'close');
      },
    };
  }

  async function pass(client: Socket, dies: 'before' | 'after'): Promise<void> {
    client.on('error', () => undefined);
    const before = processesOf(own);
    const server = connect(own.login.port, own.login.host);
    const said: Buffer[] = [];
    server.on('data', (bytes: Buffer) => said.push(bytes));
    server.on('error', () => undefined);
    const [wish] = (await once(client, 'data')) as [Buffer];
    if (dies === 'after') {
      server.write(wish);
      await once(server, 'data');
    } else {
      // Not before the server has a process for the connection.
      while (processesOf(own) === before) await sleep(5);
    }
    own.kill();
    await once(server, 'end');
    expect(Buffer.concat(said).toString()).toMatch(GOOD_BYE);
    client.end(Buffer.concat(said));
  }

  test.each([
    ['prefer', 'before'],
    ['prefer', 'after'],
    ['require', 'before'],
  ] as const)('TLS %s, dead %s its answer', async (mode, dies) => {
    await using way = await openWay(dies);
    const { login } = own;
    const source = postgresSourceSchema.parse({
      host: '127.0.0.1',
      port: way.port,
      database: 'millrace',
      user: login.user,
      password: login.password,
      tls: { mode },
    });
    await expect(openSession(source, 'data', 'test')).rejects.toMatchObject({ code: 'MR-D109' });
  });
});
