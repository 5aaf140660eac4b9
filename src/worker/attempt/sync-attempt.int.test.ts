import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { DirtyRecord, ResolvedDataSource } from '@millrace/sdk';
import type { TestDatabase } from '../../../test/support/servers.js';
import {
  createDatabase,
  execute,
  mysqlTestServers,
  testServers,
} from '../../../test/support/servers.js';
import { AttemptHost } from './attempt-host.js';
import type { AttemptOutcome } from './attempt-job.js';

const BUILT_IN = ['file', 'postgres', 'mysql'].map((name) => {
  const specifier = `@millrace/plugin-${name}`;
  return { name: specifier, specifier, isolated: false };
});

const targets = [
  { name: 'postgres', type: 'postgres', server: testServers().postgres },
  ...mysqlTestServers().map((server, i) => ({ name: `mysql ${i + 1}`, type: 'mysql', server })),
];

describe.each(targets)('a sync of a file to $name and onwards', ({ type, server }) => {
  let folder: string;
  let host: AttemptHost;
  let database: TestDatabase;
  let dataSources: readonly ResolvedDataSource[];
  let dirty: DirtyRecord[] = [];
  let fence = 0;

  const rowsOf = async (table: string) => {
    const statement = `SELECT id, name, ds FROM ${table} ORDER BY ds, id`;
    const rows = await execute(server, statement, database.name);
    return rows.map((row) => `${String(row['id'])} ${String(row['name'])} ${String(row['ds'])}`);
  };

  async function runSync(config: object, runNumber = 1): Promise<AttemptOutcome> {
    dirty = [];
    fence += 1;
    const attempt = host.run(
      {
        task: { kind: 'sync', config },
        identity: {
          installation: 'test',
          nodeId: '1',
          nodeName: 'load',
          instanceId: '1',
          runNumber,
          attempt: 1,
          fence: String(fence),
          scheduledTime: '2026-11-21T00:00:00Z',
          bizdate: '2026-11-20',
        },
        parameters: {},
        dataSources,
        plugins: BUILT_IN,
      },
      { onLog: () => {}, onDirty: (records) => void dirty.push(...records) },
    );
    return attempt.result;
  }

  const load = {
    source: { dataSource: 'files', path: 'in.csv' },
    target: {
      dataSource: 'db',
      table: 'loaded',
      mode: 'partition-overwrite',
      replace: { kind: 'partition', values: { ds: '20261120' } },
    },
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-sync-'));
    host = new AttemptHost({ home: join(folder, 'home') });
    database = await createDatabase(server);
    const columns = '(id int PRIMARY KEY, name varchar(8), ds varchar(8) NOT NULL)';
    for (const table of ['loaded', 'exported']) {
      await execute(server, `CREATE TABLE ${table} ${columns}`, database.name);
    }
    await execute(server, `INSERT INTO loaded VALUES (1000, 'other', '20261119')`, database.name);
    const { host: address, port, user, password } = server;
    dataSources = [
      { name: 'files', type: 'file', config: { root: folder } },
      {
        name: 'db',
        type,
        config: {
          host: address,
          port,
          user,
          password,
          database: database.name,
          tls: { mode: 'off' },
        },
      },
    ];
  });
  afterAll(async () => {
    await host.close('the test is over');
    await database[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const lines = (ids: readonly number[]): string =>
    `id,name,ds\n${ids.map((id) => `${id},n${id},20261120\n`).join('')}`;
  const expected = (ids: readonly number[]): readonly string[] => [
    '1000 other 20261119',
    ...ids.map((id) => `${id} n${id} 20261120`),
  ];

  test('each row is there once, and a rerun replaces its partition alone', async () => {
    await writeFile(join(folder, 'in.csv'), lines([1, 2, 3]));
    expect(await runSync(load)).toMatchObject({ status: 'succeeded', rows: 3 });
    expect(await rowsOf('loaded')).toEqual(expected([1, 2, 3]));
    await writeFile(join(folder, 'in.csv'), lines([2, 4]));
    expect(await runSync(load, 2)).toMatchObject({ status: 'succeeded', rows: 2 });
    expect(await rowsOf('loaded')).toEqual(expected([2, 4]));
  });

  test('the same run asked for again is found published and writes nothing', async () => {
    await writeFile(join(folder, 'in.csv'), lines([7]));
    expect(await runSync(load, 2)).toMatchObject({ sync: { wasPublished: true, rowsRead: 0 } });
    expect(await rowsOf('loaded')).toEqual(expected([2, 4]));
  });

  test('dirty rows are handed over, counted, and fail the run while the target keeps its rows', async () => {
    const bad = 'x,n,20261120\n9,name that is too long,20261120\n10,n,\n';
    await writeFile(join(folder, 'in.csv'), lines([8]) + bad);
    expect(await runSync(load, 3)).toMatchObject({ status: 'failed', code: 'MR-D201' });
    expect(await rowsOf('loaded')).toEqual(expected([2, 4]));
    const tolerant = { ...load, channel: { dirtyLimit: { records: 3 } } };
    expect(await runSync(tolerant, 4)).toMatchObject({
      status: 'succeeded',
      sync: { rowsRead: 4, rowsWritten: 1, rowsDirty: 3 },
    });
    expect(dirty.map((record) => record.cells[0])).toEqual(
      expect.arrayContaining(['x', '9', '10']),
    );
    expect(await rowsOf('loaded')).toEqual(expected([8]));
  });

  test('a table is copied in slices over several channels', async () => {
    const ids = Array.from({ length: 500 }, (_, i) => i + 1);
    await writeFile(join(folder, 'in.csv'), lines(ids));
    expect(await runSync(load, 5)).toMatchObject({ status: 'succeeded', rows: 500 });
    const copy = {
      source: { dataSource: 'db', table: 'loaded', sliceKey: 'id' },
      target: { dataSource: 'db', table: 'exported', mode: 'truncate' },
      channel: { concurrency: 3 },
    };
    expect(await runSync(copy, 6)).toMatchObject({ status: 'succeeded', rows: 501 });
    expect(await rowsOf('exported')).toEqual(expected(ids));
  });

  test('a column that is not in the target stops the sync before it writes', async () => {
    await writeFile(join(folder, 'in.csv'), 'id,nmae,ds\n1,a,20261120\n');
    expect(await runSync(load, 7)).toMatchObject({
      status: 'failed',
      code: 'MR-D208',
      detail: expect.stringContaining('not in the target: nmae'),
    });
  });
});
