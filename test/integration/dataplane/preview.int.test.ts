import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { createDatabase, execute, mysqlTestServers, testServers } from '../../support/servers.js';
import type { TestDatabase, TestServer } from '../../support/servers.js';
import { CommandLine } from '../cli/command-line.js';
import { World } from '../worker/world.js';

const CSV =
  'id,name,day\n1,ann,01/02/2026\n2,too long,02/02/2026\n3,cyd,31/02/2026\n4\n5,eve,05/02/2026\n';

let world: World;
let cli: CommandLine;

beforeAll(async () => {
  world = await World.open();
  cli = new CommandLine(world.api);
  mkdirSync(join(cli.folder, 'files'));
  await world.dataSource('files', 'file', { root: join(cli.folder, 'files') });
  cli.file('files/in_20261120.csv', CSV);
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  cli[Symbol.dispose]();
});

const [mysql] = mysqlTestServers();
const servers: readonly TestServer[] = [testServers().postgres, ...(mysql ? [mysql] : [])];

async function tablesOf({ server, name }: TestDatabase): Promise<readonly unknown[]> {
  const schema = server.kind === 'postgres' ? 'public' : name;
  return execute(
    server,
    `SELECT table_name FROM information_schema.tables WHERE table_schema = '${schema}'`,
    name,
  );
}

describe.each(servers.map((server) => [server.name, server] as const))(
  'a preview of a sync into %s',
  (name, server) => {
    let database: TestDatabase;

    beforeAll(async () => {
      database = await createDatabase(server);
      await execute(
        server,
        'CREATE TABLE dst (id int PRIMARY KEY, name varchar(5), day date)',
        database.name,
      );
      await execute(server, "INSERT INTO dst VALUES (9, 'old', NULL)", database.name);
      const { host, port, user, password } = server;
      const access = { host, port, user, password, database: database.name, tls: { mode: 'off' } };
      await world.dataSource(name, server.kind, access);
    });
    afterAll(async () => await database[Symbol.asyncDispose]());

    const cast = [{ function: 'cast', type: 'date', format: 'dd/MM/yyyy' }];
    const config = (more: object = {}, concurrency = 1): object => ({
      source: { dataSource: 'files', path: 'in_${day}.csv' },
      target: { dataSource: name, table: 'dst', mode: 'truncate', ...more },
      mapping: {
        columns: [
          { from: 'id', to: 'id' },
          { from: 'name', to: 'name' },
          { from: 'day', to: 'day', functions: cast },
        ],
      },
      channel: { concurrency },
    });
    const draft = (node: object): string =>
      JSON.stringify({
        name: 'w',
        draft: {
          parameters: { day: '$bizdate' },
          nodes: [{ id: 'load', type: 'sync', config: node }],
        },
      });

    test('shows the rows as they would arrive and why others would not, and writes nothing', async () => {
      const file = cli.file('draft.json', draft(config()));
      const { code, out } = await cli.run([
        'sync',
        'preview',
        file,
        '--bizdate',
        '2026-11-20',
        '-o',
        'json',
      ]);
      expect(code).toBe(0);
      expect(JSON.parse(out)).toMatchObject({
        columns: ['id', 'name', 'day'],
        rows: [
          ['1', 'ann', '2026-02-01'],
          ['5', 'eve', '2026-02-05'],
        ],
        dirty: expect.arrayContaining([
          { row: expect.any(Number), column: 'name', code: 'MR-D202', reason: expect.any(String) },
          { row: expect.any(Number), column: 'day', code: 'MR-D217', reason: expect.any(String) },
          {
            row: expect.any(Number),
            place: 'in_20261120.csv, line 5',
            code: 'MR-D240',
            reason: 'it has 1 cells instead of 3',
          },
        ]),
        rowsRead: 5,
        rowsFiltered: 0,
        verdicts: expect.arrayContaining([expect.objectContaining({ target: 'name' })]),
        findings: [],
        lane: 'rows',
        slices: { count: 1, first: ['in_20261120.csv'] },
        plan: { strategy: 'transaction' },
      });
      expect(await execute(server, 'SELECT id FROM dst', database.name)).toEqual([{ id: 9 }]);
      expect(await tablesOf(database)).toHaveLength(1);
    });

    test('of a workflow stops after so many rows, and names lane and plan of its two channels', async () => {
      cli.file('files/part_0.csv', 'id,name\n1,a\n2,b\n');
      cli.file('files/part_1.csv', 'id,name\n3,c\n4,d\n');
      const node = {
        source: { dataSource: 'files', path: 'part_*.csv' },
        target: { dataSource: name, table: 'dst', mode: 'truncate' },
        channel: { concurrency: 2 },
      };
      const body = {
        name: `w_${name}`,
        draft: { nodes: [{ id: 'load', type: 'sync', config: node }] },
      };
      const made = await world.api.send('POST', '/api/v1/workspaces/finance/workflows', { body });
      expect(made.status).toBe(201);
      const words = ['--node', 'load', '--rows', '3', '-o', 'json'];
      const { code, out } = await cli.run(['sync', 'preview', `w_${name}`, ...words]);
      expect(code).toBe(0);
      expect(JSON.parse(out)).toMatchObject({
        rows: [
          ['1', 'a'],
          ['2', 'b'],
          ['3', 'c'],
        ],
        rowsRead: 3,
        lane: 'pg-copy-text',
        slices: { count: 2, first: ['part_0.csv', 'part_1.csv'] },
        plan: { strategy: 'staging' },
      });
      expect(await tablesOf(database)).toHaveLength(1);
      const shown = await cli.run(['sync', 'preview', `w_${name}`, '--rows', '3']);
      expect(shown.out).toMatch(/^lane +pg-copy-text$/m);
      const wrong = await cli.run(['sync', 'preview', `w_${name}`, '--node', 'other']);
      expect(wrong.talk).toContain('Choose one with --node: load.');
    });

    test('says what would end the run before its first row', async () => {
      const file = cli.file('draft.json', draft(config()));
      const late = await cli.run(['sync', 'preview', file, '--bizdate', '2026-11-21']);
      expect(late.code).not.toBe(0);
      expect(late.talk).toContain('in_20261121.csv');
    });

    test('shows the statement for a table that is missing, as a text and as JSON', async () => {
      const file = cli.file('draft.json', draft(config({ table: 'none' })));
      const words = ['sync', 'preview', file, '--bizdate', '2026-11-20'];
      const { code, out } = await cli.run(words);
      expect(code).toBe(3);
      expect(out).toMatch(/^error: .*none.*`createTable: auto`/m);
      expect(out).toMatch(/^CREATE TABLE .*none.* \(\n {2}.id. \w+.*,\n/m);
      const asked = await cli.run([...words, '-o', 'json']);
      expect(JSON.parse(asked.out)).toMatchObject({
        createTable: { sql: expect.stringMatching(/^CREATE TABLE/), notes: [] },
        findings: [{ level: 'error', code: 'MR-D107' }],
        plan: null,
      });
      expect(await tablesOf(database)).toHaveLength(1);
    });

    test('has the parameters in the statement of the configuration', async () => {
      const createTable = 'CREATE TABLE day_${day} (id int, name varchar(9), day date)';
      const file = cli.file('draft.json', draft(config({ table: 'day_20261120', createTable })));
      const words = ['sync', 'preview', file, '--bizdate', '2026-11-20', '-o', 'json'];
      const { code, out } = await cli.run(words);
      expect(code).toBe(0);
      expect(JSON.parse(out)).toMatchObject({
        createTable: { sql: createTable.replace('${day}', '20261120'), notes: [] },
        verdicts: [],
        rows: [
          ['1', 'ann', '2026-02-01'],
          ['2', 'too long', '2026-02-02'],
          ['5', 'eve', '2026-02-05'],
        ],
      });
    });
  },
);

test('a preview names no user of a data source, as no other answer does', async () => {
  const { postgres } = testServers();
  await using database = await createDatabase(postgres);
  await execute(postgres, 'CREATE TABLE closed (id text)', database.name);
  const user = `reader_${database.name}`;
  await execute(postgres, `CREATE ROLE ${user} LOGIN PASSWORD 'secret-word'`, database.name);
  const { host, port } = postgres;
  const access = { host, port, user, password: 'secret-word', tls: { mode: 'off' } };
  await world.dataSource('closed', 'postgres', { ...access, database: database.name });
  const node = {
    source: { dataSource: 'files', path: 'in_20261120.csv' },
    target: { dataSource: 'closed', table: 'closed', mode: 'truncate' },
    mapping: { columns: [{ from: 'id', to: 'id' }] },
  };
  const nodes = [{ id: 'load', type: 'sync', config: node }];
  const file = cli.file('closed.json', JSON.stringify({ name: 'closed', draft: { nodes } }));
  const { code, out, talk } = await cli.run(['sync', 'preview', file]);
  await execute(postgres, `DROP ROLE ${user}`, database.name);
  expect([code, talk + out]).toEqual([3, expect.stringContaining('permission denied')]);
  expect(talk + out).not.toContain(user);
});

test('a preview shows as many rows as it is asked for beside the lines that are none', async () => {
  const lines = Array.from({ length: 60 }, (_, no) => (no % 3 === 0 ? `${no}` : `${no},a`));
  cli.file('files/thirds.csv', `id,name\n${lines.join('\n')}\n`);
  const node = {
    source: { dataSource: 'files', path: 'thirds.csv' },
    target: { dataSource: 'files', path: 'thirds_out.csv' },
  };
  const nodes = [{ id: 'load', type: 'sync', config: node }];
  const file = cli.file('thirds.json', JSON.stringify({ name: 'thirds', draft: { nodes } }));
  const { out } = await cli.run(['sync', 'preview', file, '--rows', '4', '-o', 'json']);
  const { rows, dirty, rowsRead } = JSON.parse(out) as {
    rows: unknown[];
    dirty: { place: string }[];
    rowsRead: number;
  };
  expect(rows).toEqual([
    ['1', 'a'],
    ['2', 'a'],
    ['4', 'a'],
    ['5', 'a'],
  ]);
  expect(dirty.map(({ place }) => place)).toEqual(
    [2, 5, 8, 11].map((line) => `thirds.csv, line ${line}`),
  );
  expect(rowsRead).toBe(8);
});

test('a preview of a DataX job reads the file in its encoding', async () => {
  const [reader, writer] = ['reader', 'writer'].map((side) => ({
    name: side === 'reader' ? 'txtfilereader' : 'txtfilewriter',
    parameter: {
      datasource: 'inbox',
      encoding: 'GBK',
      fieldDelimiter: '|',
      ...(side === 'reader'
        ? { path: ['gbk.txt'], column: [{ index: 1, type: 'string' }] }
        : { fileName: 'out.csv', writeMode: 'truncate', fileFormat: 'csv', header: ['city'] }),
    },
  }));
  writeFileSync(
    join(cli.folder, 'files', 'gbk.txt'),
    Buffer.from([0x31, 0x7c, 0xc9, 0xcf, 0xba, 0xa3, 0x0a]),
  );
  const job = { job: { setting: { speed: { channel: 1 } }, content: [{ reader, writer }] } };
  const file = cli.file('job.json', JSON.stringify(job));
  const words = ['sync', 'preview', file, '--map', 'inbox=files', '-o', 'json'];
  const { code, out, talk } = await cli.run(words);
  expect(talk).not.toContain('lost');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ columns: ['city'], rows: [['上海']] });
});

test('a preview into a file leaves the folder as it was', async () => {
  const folder = join(cli.folder, 'files');
  const before = readdirSync(folder, { recursive: true });
  const config = {
    source: { dataSource: 'files', path: 'in_20261120.csv' },
    target: { dataSource: 'files', path: 'out.csv', encoding: 'gbk' },
  };
  const { status, json } = await world.api.send('POST', '/api/v1/workspaces/finance/sync/preview', {
    body: { config },
  });
  expect(status).toBe(200);
  expect(json).toMatchObject({ rowsRead: 5, dirty: [{ code: 'MR-D240' }] });
  expect(readdirSync(folder, { recursive: true })).toEqual(before);
});
