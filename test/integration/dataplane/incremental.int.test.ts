import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createDatabase, execute, type TestDatabase, testServers } from '../../support/servers.js';
import { runSync, type SyncEnd, type SyncOptions, type SyncRun } from '../../support/sync.js';

type Kind = 'mysql' | 'postgres';

const INCREMENTAL = { cursor: 'changed' };

describe.each<[Kind, Kind]>([
  ['mysql', 'postgres'],
  ['postgres', 'mysql'],
])('what has come since the last run, %s to %s', (from, to) => {
  const databases = new Map<Kind, TestDatabase>();
  let runs = 0;

  const database = (kind: Kind): TestDatabase => {
    const found = databases.get(kind);
    if (found === undefined) throw new Error(kind);
    return found;
  };
  const endOf = (kind: Kind): SyncEnd => {
    const { server, name } = database(kind);
    return { kind, server, database: name };
  };
  const send = (kind: Kind, sql: string) =>
    execute(database(kind).server, sql, database(kind).name);

  beforeAll(async () => {
    const { mariadb, mysql97, postgres } = testServers();
    const mysql = mariadb ?? mysql97;
    if (mysql === undefined) throw new Error('neither MariaDB nor MySQL is there');
    databases.set('mysql', await createDatabase(mysql));
    databases.set('postgres', await createDatabase(postgres));
    const time = (kind: Kind): string => (kind === 'mysql' ? 'datetime(6)' : 'timestamp');
    await send(
      from,
      `CREATE TABLE src (id bigint PRIMARY KEY, changed ${time(from)} NULL, note varchar(9))`,
    );
    await send(to, `CREATE TABLE dst (id bigint, changed ${time(to)} NULL, note varchar(9))`);
  });
  afterAll(async () => {
    for (const each of databases.values()) await each[Symbol.asyncDispose]();
  });

  function run(node: string, options: Partial<SyncOptions> = {}): Promise<SyncRun> {
    runs += 1;
    return runSync({
      from: endOf(from),
      to: endOf(to),
      reader: { table: 'src' },
      writer: { table: 'dst' },
      incremental: INCREMENTAL,
      ...options,
      identity: {
        nodeId: node,
        instanceId: `i${runs}`,
        fence: String(runs),
        scheduledTime: `2026-03-02T00:00:0${runs % 10}Z`,
        ...options.identity,
      },
    });
  }

  async function idsOf(): Promise<readonly number[]> {
    const rows = await send(to, 'SELECT id FROM dst ORDER BY id');
    return rows.map((row) => Number(row['id']));
  }

  const add = (id: number, changed: string): Promise<unknown> =>
    send(
      from,
      `INSERT INTO src VALUES (${id}, ${changed === 'NULL' ? changed : `'${changed}'`}, 'x')`,
    );

  test('each run reads on from where the last one ended, to the microsecond', async () => {
    await add(1, '2026-03-01 10:00:00.000001');
    await add(2, '2026-03-01 10:00:00.000002');
    await add(3, 'NULL');
    expect(await run('a')).toMatchObject({ rowsWritten: 2 });
    expect(await run('a')).toMatchObject({ rowsRead: 0 });
    await add(4, '2026-03-01 10:00:00.000003');
    const settled = { settledFence: String(runs) };
    expect(await run('a', { identity: settled })).toMatchObject({ rowsRead: 1, rowsWritten: 1 });
    expect(await idsOf()).toEqual([1, 2, 4]);
  });

  test('a run that dies before the commit leaves rows and cursor as they were; the next brings all', async () => {
    await add(5, '2026-03-01 11:00:00');
    const dies = (at: string) => (name: string) =>
      name === at ? Promise.reject(new Error('killed')) : Promise.resolve();
    await expect(run('a', { crashPoint: dies('writer:before-commit') })).rejects.toThrow('killed');
    expect(await idsOf()).toEqual([1, 2, 4]);
    await add(6, '2026-03-01 11:00:01');
    expect(await run('a')).toMatchObject({ rowsWritten: 2 });
    expect(await idsOf()).toEqual([1, 2, 4, 5, 6]);
  });

  test('a run whose answer is lost behind the commit is found published, and nothing comes twice', async () => {
    await add(7, '2026-03-01 12:00:00');
    const instance = { instanceId: 'once', scheduledTime: '2026-03-03T00:00:00Z' };
    const lost = (name: string) =>
      name === 'writer:after-commit' ? Promise.reject(new Error('killed')) : Promise.resolve();
    await expect(run('a', { identity: instance, crashPoint: lost })).rejects.toThrow('killed');
    expect(await run('a', { identity: instance })).toMatchObject({ wasPublished: true });
    expect(await run('a')).toMatchObject({ rowsRead: 0 });
    expect(await idsOf()).toEqual([1, 2, 4, 5, 6, 7]);
  });

  test('of two runs of a node at the same time one is refused', async () => {
    await add(8, '2026-03-01 13:00:00');
    let other: SyncRun | undefined;
    const meanwhile = async (name: string): Promise<void> => {
      if (name === 'sync:slice-written' && other === undefined) {
        const identity = {
          instanceId: 'other',
          fence: '900',
          scheduledTime: '2026-03-09T00:00:00Z',
        };
        other = await run('a', { identity });
      }
    };
    const first = run('a', { crashPoint: meanwhile });
    await expect(first).rejects.toMatchObject({ code: 'MR-D219' });
    expect(other).toMatchObject({ rowsWritten: 1 });
    expect(await idsOf()).toEqual([1, 2, 4, 5, 6, 7, 8]);
  });

  test('a number is a cursor, and the first run may begin behind one', async () => {
    await send(to, 'DELETE FROM dst');
    const incremental = { cursor: 'id', start: '6' };
    expect(await run('b', { incremental })).toMatchObject({ rowsWritten: 2 });
    expect(await idsOf()).toEqual([7, 8]);
    await send(from, 'DELETE FROM src WHERE id = 8');
    expect(await run('b', { incremental })).toMatchObject({ rowsRead: 0 });
    await add(8, 'NULL');
    expect(await run('b', { incremental })).toMatchObject({ rowsRead: 0 });
  });

  test('what was committed late is found again by an overlap, and no row comes twice', async () => {
    await send(from, 'DELETE FROM src');
    await send(
      to,
      'CREATE TABLE kept (id bigint PRIMARY KEY, changed TIME NULL, note varchar(9))'.replace(
        'TIME',
        to === 'mysql' ? 'datetime(6)' : 'timestamp',
      ),
    );
    const rows = async (): Promise<readonly string[]> => {
      const all = await send(to, "SELECT concat_ws(' ', id, note) AS line FROM kept ORDER BY id");
      return all.map(({ line }) => String(line));
    };
    const put = (id: number, changed: string, note: string): Promise<unknown> =>
      send(from, `INSERT INTO src VALUES (${id}, '${changed}', '${note}')`);
    const incremental = { ...INCREMENTAL, overlap: 60 };
    for (const mode of ['upsert', 'ignore'] as const) {
      await send(from, 'DELETE FROM src');
      await send(to, 'DELETE FROM kept');
      const writer = { table: 'kept', mode };
      await put(1, '2026-03-01 10:00:00', 'a');
      await put(2, '2026-03-01 10:02:00', 'a');
      expect(await run(mode, { incremental, writer })).toMatchObject({ rowsRead: 2 });
      // Within the overlap a row that comes late and one that has changed; behind it one that nobody sees.
      await put(3, '2026-03-01 10:01:00.000001', 'late');
      await put(4, '2026-03-01 10:00:30', 'too late');
      await put(5, '2026-03-01 10:03:00', 'new');
      await send(from, "UPDATE src SET note = 'b' WHERE id = 2");
      expect(await run(mode, { incremental, writer })).toMatchObject({ rowsRead: 3, rowsDirty: 0 });
      const second = mode === 'upsert' ? '2 b' : '2 a';
      expect(await rows()).toEqual(['1 a', second, '3 late', '5 new']);
      // Nothing new: the last window again, and nothing changes.
      expect(await run(mode, { incremental, writer })).toMatchObject({ rowsRead: 1 });
      expect(await rows()).toEqual(['1 a', second, '3 late', '5 new']);
    }
  });

  test('an overlap of a number goes back so far, and replaces by a key of the user', async () => {
    await send(from, 'DELETE FROM src');
    await send(to, 'CREATE TABLE numbered (id bigint NOT NULL, note varchar(9))');
    await send(to, 'CREATE UNIQUE INDEX numbered_id ON numbered (id)');
    const incremental = { cursor: 'id', overlap: 2 };
    const writer = { table: 'numbered', mode: 'upsert', key: ['id'] };
    const reader = { table: 'src', columns: ['id', 'note'] };
    const put = (id: number): Promise<unknown> => add(id, '2026-03-01');
    for (const id of [5, 10]) await put(id);
    expect(await run('numbered', { reader, incremental, writer })).toMatchObject({ rowsRead: 2 });
    for (const id of [7, 9, 11]) await put(id);
    expect(await run('numbered', { reader, incremental, writer })).toMatchObject({ rowsRead: 3 });
    const ids = await send(to, 'SELECT id FROM numbered ORDER BY id');
    expect(ids.map(({ id }) => Number(id))).toEqual([5, 9, 10, 11]);
  });

  test.each([
    ['a text as cursor', { cursor: 'note' }, { table: 'dst' }],
    ['a mode that removes rows', INCREMENTAL, { table: 'dst', mode: 'truncate' }],
    ['an overlap that would double rows', { ...INCREMENTAL, overlap: 60 }, { table: 'dst' }],
  ])('%s is refused', async (_, incremental, writer) => {
    await expect(run('c', { incremental, writer })).rejects.toMatchObject({ code: 'MR-D219' });
  });
});
