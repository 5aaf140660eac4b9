import { randomBytes } from 'node:crypto';

import mysql from 'mysql2/promise';
import pg from 'pg';

import type { TestServer, TestServers } from './test-server.js';

export type { TestServer, TestServers } from './test-server.js';

/** The private servers of this run, started by `global-setup.ts` (jest projects int, fault, e2e). */
export function testServers(): TestServers {
  const text = process.env['MILLRACE_TEST_SERVERS'];
  if (text === undefined)
    throw new Error('no test servers: this file must be in the jest project int, fault or e2e');
  return JSON.parse(text) as TestServers;
}

/** Every MySQL-protocol server this machine could have; for `describe.each`. */
export function mysqlTestServers(): TestServer[] {
  const { mariadb, mysql97 } = testServers();
  return [mariadb, mysql97].filter((server) => server !== undefined);
}

/** PostgreSQL 18, and 15 where this machine has it; for `describe.each`. */
export function postgresTestServers(): TestServer[] {
  const { postgres, postgres15 } = testServers();
  return [postgres, postgres15].filter((server) => server !== undefined);
}

/** A database of its own for one test. */
export interface TestDatabase extends AsyncDisposable {
  readonly server: TestServer;
  readonly name: string;
  /** `postgres://…` or `mysql://…`, with the password. */
  readonly url: string;
}

/**
 * Makes an empty database, or on PostgreSQL a copy of `template`; it is dropped, with whoever is still
 * connected, at the end of the scope: `await using db = await createDatabase(testServers().postgres)`.
 */
export async function createDatabase(
  server: TestServer,
  options: { readonly template?: string; readonly prefix?: string } = {},
): Promise<TestDatabase> {
  const name = `${options.prefix ?? 't'}_${randomBytes(6).toString('hex')}`;
  if (server.kind === 'postgres') {
    await execute(server, createPostgresDatabase(name, options.template));
  } else {
    await execute(server, `CREATE DATABASE \`${name}\` CHARACTER SET utf8mb4`);
  }
  return {
    server,
    name,
    url: urlOf(server, name),
    [Symbol.asyncDispose]: async () => await dropDatabase(server, name),
  };
}

/** By files: the copy through the log, which a durable server needs, takes twice the time here. */
export function createPostgresDatabase(name: string, template = 'template1'): string {
  return `CREATE DATABASE "${name}" TEMPLATE "${template}" STRATEGY FILE_COPY`;
}

export async function dropDatabase(server: TestServer, name: string): Promise<void> {
  if (server.kind === 'postgres')
    await execute(server, `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
  else await execute(server, `DROP DATABASE IF EXISTS \`${name}\``);
}

/** Sends statements as the server's administrator over a connection of their own; gives the rows of the last. */
export async function execute(
  server: TestServer,
  statement: string,
  database?: string,
): Promise<Record<string, unknown>[]> {
  await using session = await openSession(server, database);
  return await session.run(statement);
}

/** A connection of the server's administrator that stays open, for transactions beside the one that is tested. */
export interface TestSession extends AsyncDisposable {
  /** Gives the rows of the last statement. */
  run(statement: string): Promise<Record<string, unknown>[]>;
}

export async function openSession(server: TestServer, database?: string): Promise<TestSession> {
  const { host, port, user, password } = server;
  if (server.kind === 'postgres') {
    const client = new pg.Client({ host, port, user, password, database: database ?? 'postgres' });
    // The server may be killed while nothing is asked of it.
    client.on('error', () => undefined);
    await client.connect();
    return {
      run: async (statement) => {
        const result: unknown = await client.query(statement);
        const last: unknown = Array.isArray(result) ? result.at(-1) : result;
        return (last as pg.QueryResult<Record<string, unknown>>).rows;
      },
      [Symbol.asyncDispose]: () => client.end(),
    };
  }
  const connection = await mysql.createConnection({
    host,
    port,
    user,
    password,
    multipleStatements: true,
    ...(database === undefined ? {} : { database }),
  });
  return {
    run: async (statement) => {
      const [rows] = await listable(statement, () => connection.query(statement));
      const results: unknown[] = Array.isArray(rows) ? rows : [];
      const last = results.at(-1);
      return (Array.isArray(last) ? last : results) as Record<string, unknown>[];
    },
    [Symbol.asyncDispose]: () => connection.end(),
  };
}

/** MySQL cannot list its statements while one of them has an emoji in it, which a test beside may just run. */
async function listable<T>(statement: string, run: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await run();
    } catch (error) {
      const isListing = /processlist/i.test(statement);
      if (!isListing || tries === 100 || !String(error).includes('Cannot convert string'))
        throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

export function urlOf(server: TestServer, database: string): string {
  const login = `${encodeURIComponent(server.user)}:${encodeURIComponent(server.password)}`;
  return `${server.kind}://${login}@${server.host}:${server.port}/${database}`;
}
