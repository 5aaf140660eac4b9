import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';

import {
  createDatabase,
  execute,
  mysqlTestServers,
  postgresTestServers,
} from '../../support/servers.js';
import type { TestServer } from '../../support/servers.js';
import { runSync } from '../../support/sync.js';
import type { SyncEnd } from '../../support/sync.js';

/** Counts who connects to a server. */
async function counted(server: TestServer) {
  const sockets: Socket[] = [];
  const proxy = createServer((client) => {
    const upstream = connect(server.port, server.host);
    for (const [a, b] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.push(a);
      a.on('error', () => b.destroy()).pipe(b);
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo;
  return {
    server: { ...server, host: '127.0.0.1', port },
    get connections() {
      return sockets.length / 2;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}

const pairs = postgresTestServers().flatMap((postgres) =>
  mysqlTestServers().flatMap((mysql) => [
    [postgres.name, mysql.name, postgres, mysql] as const,
    [mysql.name, postgres.name, mysql, postgres] as const,
  ]),
);

describe.each(pairs)('a job of one channel from %s to %s', (_from, _to, source, target) => {
  test('opens one connection to each, whether it has TLS or not', async () => {
    await using from = await createDatabase(source);
    await using to = await createDatabase(target);
    await execute(
      source,
      "CREATE TABLE src (id int PRIMARY KEY, v varchar(9)); INSERT INTO src VALUES (1, 'a')",
      from.name,
    );
    await execute(target, 'CREATE TABLE dst (id int PRIMARY KEY, v varchar(9))', to.name);
    await using read = await counted(source);
    await using written = await counted(target);
    const run = await runSync({
      from: { kind: source.kind, server: read.server, database: from.name } as SyncEnd,
      to: { kind: target.kind, server: written.server, database: to.name } as SyncEnd,
      reader: { table: 'src' },
      writer: { table: 'dst', mode: 'append' },
    });
    expect(run.rowsWritten).toBe(1);
    expect([read.connections, written.connections]).toEqual([1, 1]);
  });
});
