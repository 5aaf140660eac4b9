import { describe, expect, test } from '@jest/globals';
import type { Lane } from '@millrace/sdk';

import { createDatabase, execute, testServers } from '../../support/servers.js';
import type { TestDatabase } from '../../support/servers.js';
import { runSync } from '../../support/sync.js';
import type { SyncOptions } from '../../support/sync.js';

const LANES: readonly Lane[] = ['rows', 'pg-copy-text', 'pg-copy-binary'];

const COLUMNS = `id bigint PRIMARY KEY, si smallint, n numeric(12,3), free numeric, r real, d double precision,
  t text, v varchar(40), c char(8), b bytea, yes boolean, day date, at timestamp(3), zoned timestamptz,
  span interval, doc jsonb, raw json, key uuid, bits bit(5), varying bit varying(9), clock time(2), zone timetz`;

const FILL = `INSERT INTO src SELECT i, i % 32767, i::numeric / 8, (i::numeric ^ 5) / 7, i::real / 3, 1 / i::double precision,
  CASE i % 9 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN E'tab\\tlf\\ncr\\rbs\\\\ \\\\N \\\\.' WHEN 3 THEN repeat('漢😀', 40) ELSE md5(i::text) END,
  left(md5(i::text), (i % 40)::int), left('abcdefgh', (i % 9)::int), decode(md5(i::text), 'hex'), i % 2 = 0,
  DATE '2024-02-29' + i::int, TIMESTAMP '2024-03-31 02:30:00.123' + i * INTERVAL '1 minute',
  TIMESTAMPTZ 'epoch' + i * INTERVAL '1 hour', i * INTERVAL '1 day 1 second', jsonb_build_object('n', i, 'é', NULL),
  '{"a":  1.10}', md5(i::text)::uuid, (i % 32)::int::bit(5), B'0101', TIME '23:59:59.99', TIMETZ '12:00:00+05:30'
  FROM generate_series(1::bigint, 3000) AS i`;

async function openTables(ddl: string, fill: string, target = ddl): Promise<TestDatabase> {
  const { postgres } = testServers();
  const database = await createDatabase(postgres);
  await execute(postgres, `CREATE TABLE src (${ddl})`, database.name);
  await execute(postgres, `CREATE TABLE dst (${target})`, database.name);
  await execute(postgres, fill, database.name);
  return database;
}

function between(database: TestDatabase, more: Partial<SyncOptions> = {}): SyncOptions {
  const end = { kind: 'postgres', server: database.server, database: database.name } as const;
  return {
    from: end,
    to: end,
    reader: { table: 'src' },
    writer: { table: 'dst', mode: 'append' },
    ...more,
  };
}

const sum = async (database: TestDatabase, table: string): Promise<unknown> =>
  (
    await execute(
      database.server,
      `SELECT count(*)::int AS rows, md5(string_agg(t::text, E'\\n' ORDER BY id)) AS sum FROM ${table} AS t`,
      database.name,
    )
  )[0];

describe('PostgreSQL to PostgreSQL', () => {
  test('the planner passes binary rows through when the types are equal, and says so', async () => {
    await using database = await openTables(COLUMNS, FILL);
    const run = await runSync(between(database));
    expect(run.lane).toBe('pg-copy-binary');
    expect(run).toMatchObject({ rowsRead: 3000, rowsWritten: 3000, rowsDirty: 0 });
    expect(await sum(database, 'dst')).toEqual(await sum(database, 'src'));
  });

  test.each(LANES.flatMap((lane) => [1, 3].map((channels) => [lane, channels] as const)))(
    'lane %s with %i channels brings every cell unchanged',
    async (lane, concurrency) => {
      await using database = await openTables(COLUMNS, FILL);
      const reader = { table: 'src', sliceKey: 'id' };
      const channel = { concurrency, dirtyLimit: { records: 0 } };
      const run = await runSync(between(database, { lane, reader, channel }));
      expect(run.lane).toBe(lane);
      expect(run.rowsWritten).toBe(3000);
      expect(await sum(database, 'dst')).toEqual(await sum(database, 'src'));
    },
  );

  test.each(LANES)(
    'lane %s puts mapped columns into the places they were mapped to',
    async (lane) => {
      await using database = await openTables(
        'id int, a text, b text, left_out int',
        `INSERT INTO src SELECT i, 'a' || i, 'b' || i, -i FROM generate_series(1, 500) AS i`,
        'second text, id int, first text',
      );
      const columns = [
        { from: 'b', to: 'first' },
        { from: 'id', to: 'id' },
        { from: 'a', to: 'second' },
      ];
      const run = await runSync(between(database, { lane, mapping: { columns } }));
      expect(run.lane).toBe(lane);
      const wrong = await execute(
        database.server,
        `SELECT * FROM dst FULL JOIN src USING (id) WHERE second IS DISTINCT FROM a OR first IS DISTINCT FROM b`,
        database.name,
      );
      expect(wrong).toEqual([]);
    },
  );

  test.each(LANES)(
    'lane %s quarantines each row the target refuses, and only those',
    async (lane) => {
      await using database = await openTables(
        'id int, name text, big int, flag boolean, raw bytea',
        `INSERT INTO src SELECT i, CASE WHEN i % 100 = 1 THEN NULL ELSE E'a\\tb' || i END,
         CASE WHEN i % 100 = 2 THEN -1 ELSE i END, i % 2 = 0, '\\x005c0a' FROM generate_series(1, 20000) AS i;
       INSERT INTO src SELECT id, 'twice', big, flag, raw FROM src WHERE id % 1000 = 5`,
        'id int PRIMARY KEY, name text NOT NULL, big int CHECK (big > 0), flag boolean, raw bytea',
      );
      const channel = { dirtyLimit: { records: 1000 } };
      const run = await runSync(between(database, { lane, channel }));
      expect(run.lane).toBe(lane);
      expect(run).toMatchObject({ rowsRead: 20_020, rowsDirty: 420, rowsWritten: 19_600 });
      const codes = run.dirty.map((d) => d.code);
      const count = (code: string): number => codes.filter((each) => each === code).length;
      // The row lane finds NULL by itself; the server says 23502.
      expect([count('23502') + count('MR-D202'), count('23514'), count('23505')]).toEqual([
        200, 200, 20,
      ]);
      expect(run.dirty.find((d) => d.code === '23514')?.cells).toEqual([
        '2',
        'a\tb2',
        '-1',
        'true',
        Buffer.from([0, 0x5c, 10]),
      ]);
      const [left] = await execute(
        database.server,
        'SELECT count(*)::int AS rows FROM dst',
        database.name,
      );
      expect(left).toEqual({ rows: 19_600 });
    },
  );

  test.each(LANES)(
    'lane %s fails above the dirty limit and leaves the target as it was',
    async (lane) => {
      await using database = await openTables(
        'id int',
        'INSERT INTO src SELECT i % 900 FROM generate_series(1, 1000) AS i; INSERT INTO dst VALUES (-1)',
        'id int PRIMARY KEY',
      );
      const channel = { dirtyLimit: { records: 99 } };
      await expect(runSync(between(database, { lane, channel }))).rejects.toMatchObject({
        code: 'MR-D201',
      });
      const rows = await execute(database.server, 'SELECT id FROM dst', database.name);
      expect(rows).toEqual([{ id: -1 }]);
    },
  );

  test('what the server would round or cut is looked at in its line, and refused', async () => {
    await using database = await openTables(
      'id int, n numeric(10,4), t text',
      `INSERT INTO src VALUES (1, 1.25, 'ok'), (2, 1.2345, 'ok'), (3, 1, 'blanks    ')`,
      'id int, n numeric(10,2), t varchar(6)',
    );
    const channel = { dirtyLimit: { records: 10 } };
    const run = await runSync(between(database, { channel }));
    expect(run.lane).toBe('pg-copy-text');
    expect(run.dirty.map((d) => d.column)).toEqual(['n', 't']);
    const rows = await execute(database.server, 'SELECT id, n::text FROM dst', database.name);
    expect(rows).toEqual([{ id: 1, n: '1.25' }]);
  });

  test('a partition that has not been made is refused with the statement that makes it', async () => {
    const ddl = 'id int, ds date NOT NULL';
    await using database = await openTables(
      ddl,
      `INSERT INTO src VALUES (1, '2026-03-02');
       DROP TABLE dst;
       CREATE TABLE dst (${ddl}) PARTITION BY LIST (ds);
       CREATE TABLE dst_1 PARTITION OF dst FOR VALUES IN ('2026-03-01')`,
    );
    const run = (): Promise<unknown> =>
      runSync(
        between(database, {
          writer: {
            table: 'dst',
            mode: 'partition-overwrite',
            replace: { kind: 'partition', values: { ds: '2026-03-02' } },
          },
          channel: { dirtyLimit: { records: 50 } },
        }),
      );
    const failure = await run().catch((error: unknown) => error as { readonly detail: string });
    expect(failure).toMatchObject({ code: 'MR-D243' });
    const { detail } = failure as { readonly detail: string };
    const statement = detail.slice(detail.indexOf('CREATE TABLE'));
    await execute(database.server, statement, database.name);
    await run();
    expect(await execute(database.server, 'SELECT id FROM dst', database.name)).toEqual([
      { id: 1 },
    ]);
  });

  test.each(['rows', 'pg-copy-text'] as const)(
    'lane %s fills and guards the columns of the partition it replaces',
    async (lane) => {
      const ddl = 'id int, name text, ds date NOT NULL, hour text';
      await using database = await openTables(
        ddl,
        `INSERT INTO src SELECT i, 'n' || i, DATE '2026-03-01' + (i % 100 = 7)::int, 'x' FROM generate_series(1, 3000) AS i;
         DROP TABLE dst;
         CREATE TABLE dst (${ddl}, CHECK (id <> 100), PRIMARY KEY (ds, id)) PARTITION BY LIST (ds);
         CREATE TABLE dst_1 PARTITION OF dst FOR VALUES IN ('2026-03-01');
         CREATE TABLE dst_2 PARTITION OF dst FOR VALUES IN ('2026-03-02');
         INSERT INTO dst VALUES (1, 'old', '2026-03-01', 'h\\1'), (2, 'other hour', '2026-03-01', 'h2'), (3, 'other day', '2026-03-02', 'h\\1')`,
      );
      const values = { ds: '2026-03-01', hour: 'h\\1' };
      const run = await runSync(
        between(database, {
          lane,
          writer: {
            table: 'dst',
            mode: 'partition-overwrite',
            replace: { kind: 'partition', values },
          },
          mapping: { columns: ['id', 'name', 'ds'].map((name) => ({ from: name, to: name })) },
          channel: { dirtyLimit: { records: 50 } },
        }),
      );
      expect(run).toMatchObject({ lane, rowsRead: 3000, rowsDirty: 32, rowsWritten: 2968 });
      const codes = run.dirty.map((d) => `${d.code} ${d.column ?? ''}`);
      expect(new Set(codes)).toEqual(new Set(['MR-D202 ds', '23514 ', '23505 ']));
      expect(new Set(run.dirty.map((d) => d.cells.length))).toEqual(new Set([3]));
      const rows = await execute(
        database.server,
        `SELECT ds::text, hour, count(*)::int AS n, min(name) AS name FROM dst GROUP BY ds, hour ORDER BY ds, n DESC`,
        database.name,
      );
      expect(rows).toEqual([
        { ds: '2026-03-01', hour: 'h\\1', n: 2968, name: 'n1' },
        { ds: '2026-03-01', hour: 'h2', n: 1, name: 'other hour' },
        { ds: '2026-03-02', hour: 'h\\1', n: 1, name: 'other day' },
      ]);
    },
  );

  test('rows a trigger drops are no written rows: the run fails instead of counting them', async () => {
    await using database = await openTables(
      'id int',
      `INSERT INTO src SELECT generate_series(1, 10);
       CREATE FUNCTION drop_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
       CREATE TRIGGER dropping BEFORE INSERT ON dst FOR EACH ROW WHEN (NEW.id = 3) EXECUTE FUNCTION drop_row()`,
    );
    await expect(runSync(between(database))).rejects.toMatchObject({ code: 'MR-D220' });
  });

  test('a row far larger than a chunk comes through', async () => {
    await using database = await openTables(
      'id int, t text',
      `INSERT INTO src SELECT i, repeat(md5(i::text), CASE i WHEN 2 THEN 500000 ELSE 1 END) FROM generate_series(1, 4) AS i`,
    );
    const run = await runSync(between(database));
    expect(run.lane).toBe('pg-copy-binary');
    expect(await sum(database, 'dst')).toEqual(await sum(database, 'src'));
  });

  test('a rate limit holds for bytes of the wire', async () => {
    await using database = await openTables(COLUMNS, FILL);
    const channel = { rateLimit: { bytesPerSecond: 800_000 } };
    const start = performance.now();
    const run = await runSync(between(database, { channel }));
    const seconds = (performance.now() - start) / 1000;
    expect(run.lane).toBe('pg-copy-binary');
    expect(seconds).toBeGreaterThan((run.bytes / 800_000 - 0.3) * 0.98);
  });

  test.each(LANES)('lane %s ends at once when it is stopped, with the reason', async (lane) => {
    await using database = await openTables('id int', 'SELECT 1');
    const stop = new AbortController();
    const reason = new Error('stopped by the test');
    const reader = { query: 'SELECT i::int AS id FROM generate_series(1, 200000000) AS i' };
    const running = runSync(between(database, { lane, reader, signal: stop.signal }));
    setTimeout(() => stop.abort(reason), 500);
    await expect(running).rejects.toBe(reason);
    const left = await execute(
      database.server,
      `SELECT query FROM pg_stat_activity WHERE application_name LIKE 'millrace%' AND datname = '${database.name}'`,
    );
    expect(left).toEqual([]);
  });
});
