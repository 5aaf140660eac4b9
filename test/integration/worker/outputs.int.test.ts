import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import {
  createDatabase,
  execute,
  mysqlTestServers,
  type TestDatabase,
  testServers,
} from '../../support/servers.js';
import { World } from './world.js';

const servers = [testServers().postgres, ...mysqlTestServers()].map(
  (server) => [server.name, server] as const,
);

describe.each(servers)('outputs of nodes on %s', (_name, server) => {
  let world: World;
  let database: TestDatabase;
  const sqlNode = server.kind === 'postgres' ? 'postgres-sql' : 'mysql-sql';

  beforeAll(async () => {
    world = await World.open();
    database = await createDatabase(server);
    await execute(server, `CREATE TABLE orders (id int, region varchar(20))`, database.name);
    await execute(
      server,
      `INSERT INTO orders VALUES (1, 'north'), (2, 'it''s "so"'), (3, NULL)`,
      database.name,
    );
    await execute(server, 'CREATE TABLE found (n int, line varchar(200))', database.name);
    const { host, port, user, password } = server;
    await world.dataSource('db', server.kind, {
      host,
      port,
      user,
      password,
      database: database.name,
      tls: { mode: 'off' },
    });
  });
  afterAll(async () => {
    await database[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  const sql = (id: string, text: string, more: object = {}): object => ({
    id,
    type: sqlNode,
    config: { dataSource: 'db', sql: text },
    ...more,
  });

  test('go from SQL to shell to SQL, as arguments, environment and in the text', async () => {
    const ids = await world.startAll([
      sql(
        'count',
        `SELECT 'not the last'; SELECT count(*) FROM orders; UPDATE orders SET id = id`,
        { outputs: [{ name: 'total', from: 'value' }] },
      ),
      sql('list', 'SELECT region, id FROM orders ORDER BY id', {
        outputs: [{ name: 'column' }, { name: 'all', from: 'rows' }],
      }),
      {
        id: 'print',
        type: 'shell',
        needs: ['count', 'list'],
        inputs: {
          n: { node: 'count', output: 'total' },
          regions: { node: 'list', output: 'column', pattern: '.*' },
          all: { node: 'list', output: 'all', pattern: '.*' },
        },
        config: {
          args: ['${n}'],
          command:
            'echo "doubled=$(($1 * 2))" > "$MILLRACE_OUTPUT"; echo "$PARAM_regions"; echo "$PARAM_all"; echo; echo "n is $PARAM_n"; echo',
        },
        outputs: [{ name: 'doubled' }, { name: 'said', from: 'last_line' }],
      },
      sql('keep', "INSERT INTO found VALUES (${doubled}, '${said}')", {
        needs: ['print'],
        inputs: {
          doubled: { node: 'print', output: 'doubled', pattern: '\\d+' },
          said: { node: 'print', output: 'said' },
        },
      }),
    ]);
    const ended = await world.ended(ids.get('keep') ?? '');
    expect(ended).toMatchObject({ status: 'succeeded', code: undefined });
    const rows = await execute(server, 'SELECT * FROM found', database.name);
    expect(rows.map((row) => ({ ...row }))).toEqual([{ n: 6, line: 'n is 3' }]);
    const { log } = await world.ended(ids.get('print') ?? '');
    expect(log).toContain(String.raw`["north","it's \"so\"",null]`);
    expect(log).toContain(String.raw`[["north","1"],["it's \"so\"","2"],[null,"3"]]`);
    const path = `/api/v1/instances/${ids.get('print')}/attempts`;
    const { json } = await world.api.send('GET', path);
    expect(json['items']).toEqual([
      expect.objectContaining({
        outputs: { doubled: '6', last_line: 'n is 3' },
        inputs: expect.objectContaining({
          n: { value: '3', output: 'total', instance: ids.get('count'), runNumber: 1 },
        }),
      }),
    ]);
  });

  test('end nothing by a quote: a value that could is refused before the node starts', async () => {
    const ids = await world.startAll([
      sql('take', `SELECT 'x''); DELETE FROM orders; --'`, {
        outputs: [{ name: 'region', from: 'value' }],
      }),
      sql('use', "INSERT INTO found VALUES (1, '${region}')", {
        needs: ['take'],
        inputs: { region: { node: 'take', output: 'region' } },
      }),
    ]);
    const ended = await world.ended(ids.get('use') ?? '');
    expect(ended).toMatchObject({ status: 'failed', code: 'MR-S109' });
    const [row] = await execute(server, 'SELECT count(*) AS n FROM orders', database.name);
    expect(Number(row?.['n'])).toBe(3);
  });

  test('are refused before the commit when they are too large, and NULL is none', async () => {
    const huge =
      server.kind === 'postgres' ? `SELECT repeat('x', 70000)` : `SELECT REPEAT('x', 70000)`;
    const before = Number(
      (await execute(server, 'SELECT count(*) AS n FROM found', database.name))[0]?.['n'],
    );
    const large = await world.run(
      sql('node', `INSERT INTO found VALUES (9, ''); ${huge}`, { outputs: [{ name: 'value' }] }),
    );
    expect(large).toMatchObject({ status: 'failed', code: 'MR-S182' });
    expect(large.detail).toContain('value has 70000 bytes');
    const [after] = await execute(server, 'SELECT count(*) AS n FROM found', database.name);
    expect(Number(after?.['n'])).toBe(before);
    const undeclared = await world.run(sql('node', huge));
    expect(undeclared).toMatchObject({ status: 'succeeded' });

    const ids = await world.startAll([
      sql('none', 'SELECT region FROM orders WHERE id = 3', {
        outputs: [{ name: 'region', from: 'value' }],
      }),
      {
        id: 'use',
        type: 'shell',
        needs: ['none'],
        inputs: { region: { node: 'none', output: 'region' } },
        config: { command: 'true' },
      },
    ]);
    const ended = await world.ended(ids.get('use') ?? '');
    expect(ended).toMatchObject({ status: 'failed', code: 'MR-S181' });
    expect(ended.detail).toContain('/none: its run produced no "value"');
    expect(ended.log).toContain('MR-S181 The output of an upstream is missing');
  });
});
