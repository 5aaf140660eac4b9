import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';

import { execute } from '../../test/support/servers.js';
import { freePort } from './free-port.js';
import { findMysqlBinary } from './mysql-binary.js';
import { PrivateMysqlServer } from './mysql-server.js';
import { EmbeddedPostgresServer } from './postgres-server.js';
import { isServerOf } from './server-process.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-embedded-'));
  chmodSync(folder, 0o755);
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function startPostgres({ name = 'data', port = 0 } = {}): Promise<EmbeddedPostgresServer> {
  return await EmbeddedPostgresServer.start({
    dataFolder: join(folder, name),
    port: port || (await freePort()),
    password: "it's a secret",
    logFile: join(folder, `${name.slice(0, 9)}.log`),
  });
}

async function query(
  server: EmbeddedPostgresServer | PrivateMysqlServer,
  statement: string,
  password = server.password,
): Promise<Record<string, unknown>[]> {
  const kind = server instanceof EmbeddedPostgresServer ? 'postgres' : 'mysql';
  const { host, port, user } = server;
  return await execute({ kind, name: kind, host, port, user, password }, statement);
}

/** The address that the server sees of who connects by the URL; null: a socket. */
async function peerOf(url: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ peer: string | null }>(
      'SELECT host(inet_client_addr()) AS peer',
    );
    return rows[0]?.peer;
  } finally {
    await client.end();
  }
}

test('PostgreSQL keeps its rows over a stop and a start, with logical WAL and password login', async () => {
  {
    await using first = await startPostgres();
    await query(first, 'CREATE TABLE t AS SELECT 7 AS a');
    await expect(query(first, 'SELECT 1', 'wrong')).rejects.toThrow(/password authentication/);
  }
  expect(existsSync(join(folder, 'data/postmaster.pid'))).toBe(false);
  await using second = await startPostgres();
  expect(await query(second, "SELECT a, current_setting('wal_level') AS w FROM t")).toEqual([
    { a: 7, w: 'logical' },
  ]);
});

test('the URL of a PostgreSQL is its socket, which asks for the password too, or TCP in a folder of a long name', async () => {
  await using server = await startPostgres();
  expect(await peerOf(server.url())).toBeNull();
  await expect(peerOf(server.url().replace('secret', 'guess'))).rejects.toThrow(
    /password authentication/,
  );
  await using other = await startPostgres({ name: 'x'.repeat(100) });
  expect(await peerOf(other.url())).toBe('127.0.0.1');
});

test('PostgreSQL takes over a folder whose server lost its parent, and one whose server was killed', async () => {
  const orphan = await startPostgres();
  const second = await startPostgres();
  expect(isServerOf(orphan.pid, orphan.dataFolder)).toBe(false);
  process.kill(second.pid, 'SIGKILL');
  await using third = await startPostgres();
  expect(await query(third, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('PostgreSQL starts although another program has the number in the pid files that it left', async () => {
  // Of the same account: of another one's processes the server does not know that they are there.
  await using neighbour = await startPostgres({ name: 'neighbour' });
  const first = await startPostgres();
  await first.stop();
  const { port } = first;
  for (const file of ['postmaster.pid', `.s.PGSQL.${port}.lock`])
    writeFileSync(join(folder, 'data', file), `${neighbour.pid}\n`);
  await using again = await startPostgres({ port });
  expect(await query(again, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('a half-initialised PostgreSQL folder is refused by name, one of another version too', async () => {
  mkdirSync(join(folder, 'data/base'), { recursive: true });
  await expect(startPostgres()).rejects.toMatchObject({
    code: 'MR-A204',
    detail: join(folder, 'data'),
  });
  rmSync(join(folder, 'data'), { recursive: true });
  await (await startPostgres()).stop();
  writeFileSync(join(folder, 'data/PG_VERSION'), '12\n');
  await expect(startPostgres()).rejects.toMatchObject({ code: 'MR-A209' });
});

test('PostgreSQL says in its own words why it did not start', async () => {
  await using first = await startPostgres();
  const rival = EmbeddedPostgresServer.start({
    dataFolder: join(folder, 'other'),
    port: first.port,
    password: 'x',
    logFile: join(folder, 'other.log'),
  });
  await expect(rival).rejects.toMatchObject({
    code: 'MR-A210',
    detail: expect.stringContaining('Address already in use'),
  });
});

test('a private MySQL-protocol server keeps its rows and takes its password', async () => {
  const binary = await findMysqlBinary();
  if (binary === undefined) {
    process.stdout.write('not verified: private MySQL server (no mariadbd or mysqld here)\n');
    return;
  }
  const start = async (): Promise<PrivateMysqlServer> =>
    await PrivateMysqlServer.start({
      binary,
      dataFolder: join(folder, 'mysql'),
      port: await freePort(),
      password: "it's a \\ secret",
      logFile: join(folder, 'mysql.log'),
    });
  const orphan = await start();
  await query(orphan, 'CREATE DATABASE d; CREATE TABLE d.t (a int); INSERT INTO d.t VALUES (7)');
  await expect(query(orphan, 'SELECT 1', 'wrong')).rejects.toThrow(/Access denied/);
  await using second = await start();
  expect(orphan.isRunning()).toBe(false);
  expect(await query(second, 'SELECT a, @@binlog_format AS f FROM d.t')).toEqual([
    { a: 7, f: 'ROW' },
  ]);
});
