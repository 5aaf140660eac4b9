import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createDatabase, execute, type TestDatabase, testServers } from '../../support/servers.js';
import { World } from './world.js';

const { postgres, mariadb, mysql97 } = testServers();
const servers = [postgres, mariadb ?? mysql97].flatMap((server) =>
  server === undefined ? [] : [[server.name, server] as const],
);

interface Kept {
  readonly epoch: number;
  readonly no: number;
  readonly cells: readonly unknown[];
  readonly columns: readonly string[];
  readonly stage: string;
  readonly code: string;
  readonly replayedAt: string | null;
}

let world: World;
let folder: string;

beforeAll(async () => {
  world = await World.open();
  folder = await mkdtemp(join(tmpdir(), 'millrace-quarantine-'));
  await world.dataSource('files', 'file', { root: folder });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

describe.each(servers)('rows of the quarantine go to %s after all', (name, server) => {
  let database: TestDatabase;
  let id: string;

  beforeAll(async () => {
    database = await createDatabase(server);
    const { host, port, user, password } = server;
    await execute(
      server,
      'CREATE TABLE dst (id int PRIMARY KEY, name varchar(5), day date, ds varchar(8))',
      database.name,
    );
    await execute(
      server,
      `INSERT INTO dst VALUES (100, 'old', NULL, 'd1'), (101, 'keep', NULL, 'd0')`,
      database.name,
    );
    const access = { host, port, user, password, database: database.name, tls: { mode: 'off' } };
    await world.dataSource(name, server.kind, access);
    await writeFile(
      join(folder, 'in.csv'),
      'id,name,day,ds\n1,ann,01/02/2026,d1\n2,too long,02/02/2026,d1\n3,cyd,31/02/2026,d1\nx,dan,04/02/2026,d1\n6,"fay,06/02/2026\n',
    );
    const cast = [{ function: 'cast', type: 'date', format: 'dd/MM/yyyy' }];
    const config = {
      source: { dataSource: 'files', path: 'in.csv' },
      target: {
        dataSource: name,
        table: 'dst',
        mode: 'partition-overwrite',
        replace: { kind: 'partition', values: { ds: 'd1' } },
      },
      mapping: {
        columns: [
          { from: 'id', to: 'id' },
          { from: 'name', to: 'name' },
          { from: 'day', to: 'day', functions: cast },
          { from: 'ds', to: 'ds' },
        ],
      },
      channel: { dirtyLimit: { records: 4 } },
    };
    const outcome = await world.run({ type: 'sync', config });
    expect(outcome).toMatchObject({ status: 'succeeded' });
    ({ id } = outcome);
  });
  afterAll(async () => await database[Symbol.asyncDispose]());

  const path = (): string => `/api/v1/instances/${id}/dirty-records`;

  async function kept(): Promise<ReadonlyMap<unknown, Kept>> {
    const { json } = await world.api.send('GET', path());
    return new Map((json['items'] as Kept[]).map((row) => [row.cells[0], row]));
  }

  async function edit(of: string | undefined, change: readonly unknown[]): Promise<number> {
    const row = (await kept()).get(of);
    const answer = await world.api.send('PATCH', `${path()}/${row?.epoch}/${row?.no}`, {
      body: { cells: change },
    });
    return answer.status;
  }

  async function target(): Promise<readonly string[]> {
    const rows = await execute(server, 'SELECT id, name, ds FROM dst ORDER BY id', database.name);
    return rows.map((row) => `${String(row['id'])} ${String(row['name'])} ${String(row['ds'])}`);
  }

  test('each is kept as it was, with the names of its cells and where it was refused', async () => {
    expect(await target()).toEqual(['1 ann d1', '101 keep d0']);
    const rows = await kept();
    expect(rows.get('2')).toMatchObject({
      cells: ['2', 'too long', '2026-02-02', 'd1'],
      key: ['id'],
      class: 'length',
      stage: 'target',
      columns: ['id', 'name', 'day', 'ds'],
    });
    expect(rows.get('3')).toMatchObject({
      cells: ['3', 'cyd', '31/02/2026', 'd1'],
      stage: 'mapping',
      class: 'function',
      code: 'MR-D217',
    });
  });

  test('a line that is no row is kept with its bytes and its place', async () => {
    expect((await kept()).get(undefined)).toMatchObject({
      cells: [],
      columns: ['id', 'name', 'day', 'ds'],
      stage: 'source',
      class: 'line',
      code: 'MR-D240',
      reason: 'a quoted cell does not end',
      original: {
        place: 'in.csv, line 6',
        base64: Buffer.from('6,"fay,06/02/2026').toString('base64'),
      },
    });
  });

  test('a replay without a change is refused row by row and writes nothing', async () => {
    const answer = await world.api.send('POST', `${path()}/replay`, { body: {} });
    expect(answer).toMatchObject({ status: 200, json: { replayed: 0, dirty: 3 } });
    expect(await target()).toEqual(['1 ann d1', '101 keep d0']);
  });

  test('mended rows arrive through the mapping, the others stay, and what was there stays', async () => {
    expect(await edit('2', ['2', 'ben', '2026-02-02'])).toBe(422);
    expect(await edit('2', ['2', 'ben', '2026-02-02', 'd1'])).toBe(204);
    expect(await edit('3', ['3', 'cyd', '28/02/2026', 'd1'])).toBe(204);
    const answer = await world.api.send('POST', `${path()}/replay`, { body: {} });
    expect(answer).toMatchObject({ status: 200, json: { replayed: 2, dirty: 1 } });
    expect(await target()).toEqual(['1 ann d1', '2 ben d1', '3 cyd d1', '101 keep d0']);
    expect((await kept()).get('2')?.replayedAt).not.toBeNull();
  });

  test('a replay whose end nobody heard is found in the ledger, and its row does not come twice', async () => {
    expect(await edit('x', ['4', 'dan', '2026-02-04', 'd1'])).toBe(204);
    expect((await world.api.send('POST', `${path()}/replay`, { body: {} })).json).toEqual({
      replayed: 1,
      dirty: 0,
      next: null,
    });
    // As the store stands when the api dies between the worker's answer and its own note of it.
    const [last] = await world.api.database.rows<{ n: number }>(
      `SELECT last_value::int AS n FROM replay_no`,
    );
    await world.api.database.run(
      'UPDATE dirty_record SET replayed_at = NULL, replay_no = $1 WHERE cells->>0 = $2 AND instance_id = (SELECT max(instance_id) FROM dirty_record)',
      [(last?.n ?? 0) - 1, '4'],
    );
    expect(await edit('4', ['5', 'eve', '2026-02-04', 'd1'])).toBe(422);
    expect((await world.api.send('POST', `${path()}/replay`, { body: {} })).json).toEqual({
      replayed: 1,
      dirty: 0,
      next: null,
    });
    expect(await target()).toEqual(['1 ann d1', '2 ben d1', '3 cyd d1', '4 dan d1', '101 keep d0']);
    expect(await world.api.send('POST', `${path()}/replay`, { body: {} })).toMatchObject({
      status: 422,
      json: { detail: expect.stringContaining('wait to be mended') },
    });
  });

  test('a line gets its cells, and arrives through the mapping', async () => {
    expect(await edit(undefined, ['6', 'fay', '06/02/2026'])).toBe(422);
    expect(await edit(undefined, ['6', 'fay', '06/02/2026', 'd1'])).toBe(204);
    const answer = await world.api.send('POST', `${path()}/replay`, { body: {} });
    expect(answer).toMatchObject({ status: 200, json: { replayed: 1, dirty: 0 } });
    expect(await target()).toContain('6 fay d1');
    expect((await kept()).get('6')).toMatchObject({
      stage: 'mapping',
      original: { place: 'in.csv, line 6' },
    });
  });

  test('a mended row comes back into the partition of its run, which keeps what it has, and into no other', async () => {
    const isPostgres = server.kind === 'postgres';
    const part = 'CREATE TABLE part (id int, name varchar(5), ds varchar(8), PRIMARY KEY (ds, id))';
    await execute(
      server,
      isPostgres ? `${part} PARTITION BY LIST (ds)` : `${part} PARTITION BY KEY (ds) PARTITIONS 3`,
      database.name,
    );
    if (isPostgres)
      for (const ds of ['20261119', '20261120'])
        await execute(
          server,
          `CREATE TABLE part_${ds} PARTITION OF part FOR VALUES IN ('${ds}')`,
          database.name,
        );
    const insert = (values: string): Promise<unknown> =>
      execute(server, `INSERT INTO part VALUES ${values}`, database.name);
    await insert(`(1, 'old', '20261119'), (9, 'old', '20261120')`);
    await writeFile(join(folder, 'part.csv'), 'id,name\n1,ann\n2,too long\n3,longer still\n');
    // On PostgreSQL the run fills the column; MySQL wants it in the mapping.
    const ds = isPostgres ? [] : [{ constant: '${ds}', to: 'ds' }];
    const run = await world.run({
      type: 'sync',
      parameters: { ds: '$bizdate' },
      config: {
        source: { dataSource: 'files', path: 'part.csv' },
        target: {
          dataSource: name,
          table: 'part',
          mode: 'partition-overwrite',
          replace: { kind: 'partition', values: { ds: '${ds}' } },
        },
        mapping: { columns: [{ from: 'id', to: 'id' }, { from: 'name', to: 'name' }, ...ds] },
        channel: { dirtyLimit: { records: 2 } },
      },
    });
    expect(run).toMatchObject({ status: 'succeeded' });
    await insert(`(7, 'late', '20261120')`);
    const records = `/api/v1/instances/${run.id}/dirty-records`;
    const [two, three] = (await world.api.send('GET', records)).json['items'] as Kept[];
    const mend = async (row: Kept | undefined, cells: readonly string[]): Promise<void> => {
      const own = cells.length === row?.cells.length ? cells : cells.slice(0, 2);
      const at = `${records}/${row?.epoch}/${row?.no}`;
      expect(await world.api.send('PATCH', at, { body: { cells: own } })).toMatchObject({
        status: 204,
      });
    };
    await mend(two, ['2', 'ben', '20261120']);
    await mend(three, isPostgres ? ['3', 'longer yet'] : ['3', 'cyd', '20261119']);
    const replay = async (): Promise<unknown> =>
      (await world.api.send('POST', `${records}/replay`, { body: {} })).json;
    expect(await replay()).toMatchObject({ replayed: 1, dirty: 1 });
    const [, again] = (await world.api.send('GET', records)).json['items'] as Kept[];
    expect(again).toMatchObject({ code: 'MR-D202', replayedAt: null });
    await mend(again, ['3', 'cyd', '20261120']);
    expect(await replay()).toMatchObject({ replayed: 1, dirty: 0 });
    const rows = await execute(server, 'SELECT * FROM part ORDER BY ds, id', database.name);
    expect(
      rows.map((row) => `${String(row['ds'])} ${String(row['id'])} ${String(row['name'])}`),
    ).toEqual([
      '20261119 1 old',
      '20261120 1 ann',
      '20261120 2 ben',
      '20261120 3 cyd',
      '20261120 7 late',
    ]);
  });

  test('a row that is refused when all are merged says so itself, and the others arrive without it', async () => {
    for (const sql of [
      'CREATE TABLE parent (id int PRIMARY KEY)',
      'CREATE TABLE child (id int PRIMARY KEY, parent int, FOREIGN KEY (parent) REFERENCES parent (id))',
    ])
      await execute(server, sql, database.name);
    await writeFile(join(folder, 'children.csv'), 'id,parent\n1,1\n2,2\n3,3\n4,1\n');
    const config = {
      source: { dataSource: 'files', path: 'children.csv' },
      target: { dataSource: name, table: 'child', mode: 'upsert' },
      channel: { dirtyLimit: { records: 4 } },
    };
    const run = await world.run({ type: 'sync', config });
    expect(run).toMatchObject({ status: 'succeeded' });
    const records = `/api/v1/instances/${run.id}/dirty-records`;
    const [first] = (await world.api.send('GET', records)).json['items'] as object[];
    expect(first).toMatchObject({
      cells: ['1', '1'],
      sliceNo: null,
      sqlState: server.kind === 'postgres' ? '23503' : '23000',
      class: 'foreign-key',
    });
    await execute(server, 'INSERT INTO parent VALUES (1), (3)', database.name);
    const answer = await world.api.send('POST', `${records}/replay`, { body: {} });
    expect(answer).toMatchObject({ status: 200, json: { replayed: 3, dirty: 1 } });
    const items = (await world.api.send('GET', records)).json['items'] as Kept[];
    expect(items.map((row) => [row.cells[0], row.replayedAt !== null])).toEqual([
      ['1', true],
      ['2', false],
      ['3', true],
      ['4', true],
    ]);
    const rows = await execute(server, 'SELECT id FROM child ORDER BY id', database.name);
    expect(rows.map((row) => Number(row['id']))).toEqual([1, 3, 4]);
  });
});

test('a row that was too large says which one it is, and cannot be mended', async () => {
  await using database = await createDatabase(postgres);
  await execute(
    postgres,
    `CREATE TABLE src (id int PRIMARY KEY, v text); CREATE TABLE dst (id int PRIMARY KEY, v text);
     INSERT INTO src VALUES (1, 'one'), (2, repeat('x', 3000000))`,
    database.name,
  );
  const { host, port, user, password } = postgres;
  const access = { host, port, user, password, database: database.name, tls: { mode: 'off' } };
  await world.dataSource('large', 'postgres', access);
  const { id, status } = await world.run({
    type: 'sync',
    config: {
      source: { dataSource: 'large', table: 'src' },
      target: { dataSource: 'large', table: 'dst', mode: 'append' },
      channel: { dirtyLimit: { records: 1 }, maxRowBytes: 2_000_000 },
    },
  });
  expect(status).toBe('succeeded');
  const path = `/api/v1/instances/${id}/dirty-records`;
  const [row] = (await world.api.send('GET', path)).json['items'] as (Kept & {
    readonly original: { readonly place: string; readonly base64: string };
  })[];
  expect(row).toMatchObject({ code: 'MR-D251', cells: [], original: { place: 'id = 2' } });
  expect(Buffer.from(row?.original.base64 ?? '', 'base64')).toHaveLength(1024 * 1024);
  const edited = await world.api.send('PATCH', `${path}/${row?.epoch}/${row?.no}`, {
    body: { cells: ['2', 'short'] },
  });
  expect(edited).toMatchObject({
    status: 422,
    json: { code: 'MR-D221', detail: expect.stringContaining('raise maxRowBytes') },
  });
});

test('each of thousands is kept, listed, and replayed in tries that follow one another', async () => {
  await using database = await createDatabase(postgres);
  await execute(postgres, 'CREATE TABLE dst (id int PRIMARY KEY, name varchar(5))', database.name);
  const { host, port, user, password } = postgres;
  const access = { host, port, user, password, database: database.name, tls: { mode: 'off' } };
  await world.dataSource('many', 'postgres', access);
  const rows = Array.from(
    { length: 2_600 },
    (_, i) => `${i},${i < 100 ? 'short' : `too long ${i}`}`,
  );
  await writeFile(join(folder, 'many.csv'), `id,name\n${rows.join('\n')}\n`);
  const { id, status } = await world.run({
    type: 'sync',
    config: {
      source: { dataSource: 'files', path: 'many.csv' },
      target: { dataSource: 'many', table: 'dst', mode: 'append' },
      channel: { dirtyLimit: { records: 2_500 } },
    },
  });
  expect(status).toBe('succeeded');
  const path = `/api/v1/instances/${id}/dirty-records`;
  const names: unknown[] = [];
  for (let cursor = ''; cursor !== undefined && names.length < 5_000;) {
    const more = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const { json } = await world.api.send('GET', `${path}?limit=200${more}`);
    names.push(...(json['items'] as Kept[]).map((row) => row.cells[1]));
    cursor = json['nextCursor'] as string;
    if (cursor === null) break;
  }
  expect(names).toEqual(Array.from({ length: 2_500 }, (_, i) => `too long ${i + 100}`));
  await execute(
    postgres,
    "ALTER TABLE dst ALTER name TYPE varchar(50); INSERT INTO dst SELECT i, 'taken' FROM generate_series(1200, 1202) AS i",
    database.name,
  );
  const sum = { replayed: 0, dirty: 0 };
  // A call is answered in time, however slow the machine is: the next one goes on.
  for (let body: object | undefined = {}; body !== undefined;) {
    const { status, json } = await world.api.send('POST', `${path}/replay`, { body });
    expect(status).toBe(200);
    sum.replayed += Number(json['replayed']);
    sum.dirty += Number(json['dirty']);
    body = json['next'] === null ? undefined : { after: json['next'] };
  }
  expect(sum).toEqual({ replayed: 2_497, dirty: 3 });
  expect(
    await execute(
      postgres,
      `SELECT count(*)::int AS n, count(*) FILTER (WHERE name = 'too long ' || id)::int AS long FROM dst`,
      database.name,
    ),
  ).toEqual([{ n: 2_600, long: 2_497 }]);
  const goesOn = { after: { epoch: 1, no: 2_499 } };
  const rest = await world.api.send('POST', `${path}/replay`, { body: goesOn });
  expect(rest).toMatchObject({ status: 200, json: { replayed: 0, dirty: 0, next: null } });
});
