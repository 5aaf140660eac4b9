import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { freePort } from '../../../src/embedded/free-port.js';
import { ERRORS, type RegisteredCode } from '../../../src/domain/error-registry.js';
import {
  createDatabase,
  execute,
  mysqlTestServers,
  type TestDatabase,
  testServers,
} from '../../support/servers.js';
import { account, type Outcome, World } from './world.js';

const servers = [testServers().postgres, ...mysqlTestServers()].map(
  (server) => [server.name, server] as const,
);
const KEPT = { id: 0, name: 'kept', amount: 7 };

interface BadCase {
  readonly what: string;
  /** Of the end that is broken. */
  readonly config?: object;
  readonly table?: string;
  readonly mapping?: object;
  readonly code: RegisteredCode;
  /** In the system's own words. */
  readonly says: RegExp;
}

const CASES: readonly BadCase[] = [
  {
    what: 'a wrong password',
    config: { password: 'Wr0ng-passw0rd' },
    code: 'MR-D104',
    says: /password authentication failed|Access denied/,
  },
  {
    what: 'a closed port',
    config: { port: 'closed' },
    code: 'MR-D102',
    says: /ECONNREFUSED/,
  },
  {
    what: 'an unknown host',
    config: { host: 'no-such-host-q.invalid' },
    code: 'MR-D101',
    says: /ENOTFOUND|EAI_AGAIN/,
  },
  {
    what: 'a missing database',
    config: { database: 'no_such_database' },
    code: 'MR-D105',
    says: /database "no_such_database" does not exist|Unknown database 'no_such_database'/,
  },
  { what: 'a missing table', table: 'no_such_table', code: 'MR-D107', says: /no_such_table/ },
];

describe.each(servers)('with %s', (_name, server) => {
  const user = `mr_${randomBytes(4).toString('hex')}`;
  const password = `Pw-${randomBytes(9).toString('base64url')}`;
  let world: World;
  let database: TestDatabase;
  let owner: AsyncDisposable;
  let closedPort: number;
  let sources = 0;

  const good = { host: 'localhost', port: server.port, user, password };

  beforeAll(async () => {
    world = await World.open();
    database = await createDatabase(server);
    closedPort = await freePort();
    const everything =
      server.kind === 'postgres'
        ? ['ALL ON SCHEMA public', `ALL ON DATABASE "${database.name}"`]
        : [`ALL ON \`${database.name}\`.*`];
    owner = await account(server, user, password, everything, database.name);
    await execute(
      server,
      `CREATE TABLE src (id int, name varchar(40), amount int);
       CREATE TABLE dirty_src (id int, name varchar(40), amount int);
       CREATE TABLE dst (id int NOT NULL, name varchar(10) NOT NULL, amount smallint NOT NULL);
       INSERT INTO src VALUES (1, 'one', 1), (2, 'two', 2);
       INSERT INTO dirty_src VALUES (1, 'one', 1), (2, 'much too long a name', 2), (3, 'three', 99999),
         (4, NULL, 4), (5, 'five', 5)`,
      database.name,
    );
    if (server.kind === 'postgres')
      await execute(server, `GRANT ALL ON ALL TABLES IN SCHEMA public TO "${user}"`, database.name);
    await keepOneRow();
  });

  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await owner[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });

  async function keepOneRow(): Promise<void> {
    await execute(server, `DELETE FROM dst; INSERT INTO dst VALUES (0, 'kept', 7)`, database.name);
  }

  async function rowsOfTarget(): Promise<object[]> {
    const rows = await execute(
      server,
      'SELECT id, name, amount FROM dst ORDER BY id',
      database.name,
    );
    return rows.map((row) => ({ ...row }));
  }

  async function dataSource(config: object = {}): Promise<string> {
    const name = `ds${sources++}`;
    const whole = { ...good, database: database.name, tls: { mode: 'prefer' }, ...config };
    await world.dataSource(name, server.kind, whole);
    return name;
  }

  /** A sync from `src` to `dst` with some of it replaced. */
  async function sync(
    change: { source?: object; target?: object; mapping?: object; channel?: object } = {},
  ): Promise<object> {
    const { source, target, ...more } = change;
    return {
      type: 'sync',
      config: {
        source: { dataSource: await dataSource(), table: 'src', ...source },
        target: { dataSource: await dataSource(), table: 'dst', mode: 'truncate', ...target },
        ...more,
      },
    };
  }

  function sql(text: string, dataSourceName: string): object {
    return { type: `${server.kind}-sql`, config: { dataSource: dataSourceName, sql: text } };
  }

  async function sleepers(): Promise<number> {
    const rows = await execute(
      server,
      server.kind === 'postgres'
        ? `SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(47)%' AND state = 'active'
             AND pid <> pg_backend_pid()`
        : `SELECT 1 FROM information_schema.processlist WHERE info LIKE '%SLEEP(47)%'
             AND id <> connection_id()`,
    );
    return rows.length;
  }

  const nap = server.kind === 'postgres' ? 'SELECT pg_sleep(47)' : 'SELECT SLEEP(47)';

  async function expectFailure(
    outcome: Outcome,
    { code, says }: Pick<BadCase, 'code' | 'says'>,
  ): Promise<void> {
    expect(outcome).toMatchObject({ status: 'failed', code, attempts: 1 });
    expect(outcome.detail).toMatch(says);
    expect(outcome.log).toContain(`${code} ${ERRORS[code].title}: ${outcome.detail}`);
    expect(outcome.log).toContain(`fix: ${ERRORS[code].help}`);
    expect(await rowsOfTarget()).toEqual([KEPT]);
  }

  for (const end of ['source', 'target'] as const) {
    test.each(CASES)(`$what of the ${end} fails the attempt and says so`, async (bad) => {
      const { port, ...rest } = (bad.config ?? {}) as { port?: unknown };
      const config = {
        ...rest,
        ...(port === undefined ? {} : { port: closedPort }),
        // To an account that may not see it, MySQL does not tell whether a database is there.
        ...(bad.code === 'MR-D105' ? { user: server.user, password: server.password } : {}),
      };
      const broken = {
        dataSource: await dataSource(config),
        ...(bad.table === undefined ? {} : { table: bad.table }),
      };
      await expectFailure(await world.run(await sync({ [end]: broken })), bad);
    });

    test(`a mapping to a missing column of the ${end} fails the attempt and says so`, async () => {
      const wrong = end === 'source' ? { from: 'nmae', to: 'name' } : { from: 'name', to: 'nmae' };
      const columns = [{ from: 'id', to: 'id' }, wrong, { from: 'amount', to: 'amount' }];
      const outcome = await world.run(await sync({ mapping: { columns } }));
      await expectFailure(outcome, { code: 'MR-D208', says: /has no column nmae/ });
    });

    test(`a missing column that the ${end} itself names fails the attempt and says so`, async () => {
      const named = {
        source: { columns: ['id', 'nmae', 'amount'] },
        target: {
          mode: 'partition-overwrite',
          replace: { kind: 'partition', values: { nmae: 'x' } },
        },
      };
      const outcome = await world.run(await sync({ [end]: named[end] }));
      await expectFailure(outcome, { code: 'MR-D108', says: /nmae.*name/ });
    });

    test(`a missing privilege on the ${end} fails the attempt and says so`, async () => {
      const poor = `poor_${randomBytes(4).toString('hex')}`;
      const table = server.kind === 'postgres' ? 'dst' : `\`${database.name}\`.dst`;
      const rights =
        end === 'target'
          ? [`SELECT ON ${table}`]
          : server.kind === 'postgres'
            ? ['USAGE ON SCHEMA public']
            : [`SELECT ON ${table}`];
      await using _account = await account(server, poor, password, rights, database.name);
      const outcome = await world.run(
        await sync({ [end]: { dataSource: await dataSource({ user: poor }) } }),
      );
      await expectFailure(outcome, { code: 'MR-D106', says: /denied/ });
      expect(await world.placesOf(poor)).toEqual([]);
    });
  }

  test('rows that the target refuses fail the run and the target keeps what it had', async () => {
    const outcome = await world.run(await sync({ source: { table: 'dirty_src' } }));
    await expectFailure(outcome, { code: 'MR-D201', says: /\d/ });
  });

  test('within the limit the good rows arrive and the others are listed with what is wrong', async () => {
    const channel = { dirtyLimit: { records: 3 } };
    const outcome = await world.run(await sync({ source: { table: 'dirty_src' }, channel }));
    expect(outcome).toMatchObject({ status: 'succeeded', attempts: 1 });
    expect(await rowsOfTarget()).toEqual([
      { id: 1, name: 'one', amount: 1 },
      { id: 5, name: 'five', amount: 5 },
    ]);
    expect(outcome.log).toMatch(/dirty: 3/);
    const { json } = await world.api.send('GET', `/api/v1/instances/${outcome.id}/dirty-records`);
    const dirty = json['items'] as { columnName: string; reason: string; cells: unknown[] }[];
    const summary = dirty.map(({ columnName, cells }) => [Number(cells[0]), columnName]);
    expect(summary.sort()).toEqual([
      [2, 'name'],
      [3, 'amount'],
      [4, 'name'],
    ]);
    for (const { reason } of dirty) expect(reason).not.toBe('');
    await keepOneRow();
  });

  test('a SQL node fails with the words of the server', async () => {
    const outcome = await world.run(
      sql('INSERT INTO no_such_table VALUES (1)', await dataSource()),
    );
    await expectFailure(outcome, { code: 'MR-D107', says: /no_such_table/ });
    const typo = await world.run(sql('SELEKT 1', await dataSource()));
    await expectFailure(typo, { code: 'MR-D204', says: /SELEKT/ });
  });

  test('over its time limit an attempt is ended, on the server too, and does not come again', async () => {
    const node = { ...sql(nap, await dataSource()), retry: { max: 2 } };
    const outcome = await world.run(node, { timeoutMs: 1000 });
    await expectFailure(outcome, { code: 'MR-S202', says: /1000 ms/ });
    expect(await sleepers()).toBe(0);
  });

  test('stopped by a user it is cancelled, and its statement ends on the server', async () => {
    const id = await world.start(sql(nap, await dataSource()));
    while ((await sleepers()) === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    const stopped = await world.api.send('POST', `/api/v1/instances/${id}/stop`, { body: {} });
    expect(stopped.status).toBeLessThan(300);
    const outcome = await world.ended(id);
    expect(outcome).toMatchObject({ status: 'cancelled', code: 'MR-S203' });
    expect(outcome.log).toContain(`fix: ${ERRORS['MR-S203'].help}`);
    expect(await sleepers()).toBe(0);
  });

  test('what may pass is tried again as often as the node says, what may not is not', async () => {
    const retry = { max: 2 };
    const soon = { retryMs: 50 };
    const closed = { dataSource: await dataSource({ port: closedPort }) };
    const away = await world.run({ ...(await sync({ target: closed })), retry }, soon);
    expect(away).toMatchObject({ status: 'failed', code: 'MR-D102', attempts: 3 });
    const refused = { dataSource: await dataSource({ password: 'Wr0ng-passw0rd' }) };
    const wrong = await world.run({ ...(await sync({ target: refused })), retry }, soon);
    expect(wrong).toMatchObject({ status: 'failed', code: 'MR-D104', attempts: 1 });
  });

  test('a connectivity test and a look into the tables are answered by the worker', async () => {
    const id = await world.dataSource(`ds${sources++}`, server.kind, {
      ...good,
      database: database.name,
    });
    const path = `/api/v1/workspaces/finance/data-sources/${id}`;
    const tested = await world.api.send('POST', `${path}/test`, { body: {} });
    expect(tested).toMatchObject({ status: 200, json: { status: 'succeeded' } });
    const browse = (request: object) =>
      world.api.send('POST', `${path}/browse`, { body: { request } });
    expect((await browse({ kind: 'tables' })).text).toContain('dirty_src');
    expect((await browse({ kind: 'table', table: 'src' })).text).toContain('amount');
    expect((await browse({ kind: 'sample', table: 'src' })).text).toContain('two');
    const missing = await browse({ kind: 'table', table: 'no_such_table' });
    expect(missing.text).toContain('MR-D107');
  });

  test('no password, user, host or port is in a log, an answer, an event or any table', async () => {
    for (const secret of [password, user, 'Wr0ng-passw0rd', 'no-such-host-q', 'localhost'])
      expect({ secret, places: await world.placesOf(secret) }).toEqual({ secret, places: [] });
    for (const port of [server.port, closedPort])
      for (const text of [`:${port}`, `port ${port}`, `"port": ${port}`])
        expect({ text, places: await world.placesOf(text) }).toEqual({ text, places: [] });
  });
});
