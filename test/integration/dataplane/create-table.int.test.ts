import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';

import {
  createDatabase,
  execute,
  mysqlTestServers,
  postgresTestServers,
  testServers,
} from '../../support/servers.js';
import type { TestDatabase, TestServer } from '../../support/servers.js';
import { describeTable, previewSync, runSync } from '../../support/sync.js';
import type { SyncEnd, SyncOptions } from '../../support/sync.js';

const servers = [...mysqlTestServers(), ...postgresTestServers()];
const pairs = servers.flatMap((from) =>
  servers.filter((to) => to !== from).map((to) => [from.name, to.name, from, to] as const),
);
const targets = servers.map((server) => [server.name, server] as const);
const postgresServer = testServers().postgres;

function endOf({ server, name }: Pick<TestDatabase, 'server' | 'name'>): SyncEnd {
  return { kind: server.kind, server, database: name };
}

/** A source with rows, and an empty database. */
async function worldOf(source: TestServer, target: TestServer, setup: string) {
  const from = await createDatabase(source);
  const to = await createDatabase(target);
  await execute(source, setup, from.name);
  const rows = (sql: string): Promise<Record<string, unknown>[]> => execute(target, sql, to.name);
  return {
    from,
    to,
    rows,
    options: (writer: object, more: Partial<SyncOptions> = {}): SyncOptions => ({
      from: endOf(from),
      to: endOf(to),
      reader: { table: 'src' },
      writer: { table: 'dst', ...writer },
      ...more,
    }),
    count: async () => Number((await rows('SELECT count(*) AS n FROM dst'))[0]?.['n']),
    tables: async () => {
      const schema = target.kind === 'postgres' ? "'public'" : 'DATABASE()';
      const found = await rows(
        `SELECT table_name AS name FROM information_schema.tables
          WHERE table_schema = ${schema} AND table_name NOT LIKE 'millrace%'`,
      );
      return found.map((row) => row['name']);
    },
    described: () => describeTable(endOf(to), 'dst'),
    [Symbol.asyncDispose]: async () => {
      await from[Symbol.asyncDispose]();
      await to[Symbol.asyncDispose]();
    },
  };
}

const SOURCE = `CREATE TABLE src (id int NOT NULL, part varchar(9) NOT NULL, name varchar(20), PRIMARY KEY (part, id));
  INSERT INTO src VALUES (1, 'a', 'ann'), (2, 'a', 'ben'), (1, 'b', NULL)`;

describe.each(pairs)('a table that is missing, %s to %s', (_from, _to, source, target) => {
  test('is shown by a preview, which creates nothing, and created by a run, with its key', async () => {
    await using world = await worldOf(source, target, SOURCE);
    const options = world.options({ createTable: 'auto' });
    const preview = await previewSync(options);
    expect(preview.findings).toEqual([
      { level: 'info', message: expect.stringMatching(/dst.*; a run creates it$/) },
    ]);
    // MySQL has texts with U+0000, which PostgreSQL refuses.
    const isToPostgres = source.kind === 'mysql' && target.kind === 'postgres';
    const text = isToPostgres ? 'policy' : 'exact';
    expect(preview.verdicts.map(({ source: name, verdict }) => [name, verdict])).toEqual([
      ['id', 'exact'],
      ['part', text],
      ['name', text],
    ]);
    expect(preview.rows).toHaveLength(3);
    expect(preview.plan).toMatchObject({ strategy: 'transaction' });
    expect(await world.tables()).toEqual([]);

    const run = await runSync(options);
    expect([run.rowsWritten, run.dirty]).toEqual([3, []]);
    expect(run.log.join('\n')).toContain(preview.createTable?.sql);
    expect(await world.count()).toBe(3);
    const { columns, primaryKey } = await world.described();
    expect(primaryKey).toEqual(['part', 'id']);
    expect(columns.map(({ name, nullable, type }) => [name, nullable, type.kind])).toEqual([
      ['id', false, 'integer'],
      ['part', false, 'text'],
      ['name', true, 'text'],
    ]);
  });
});

describe.each(targets)('a table that is missing in %s', (_name, target) => {
  const worldHere = () => worldOf(postgresServer, target, SOURCE);

  test('is an error that names createTable, beside the statement of a preview', async () => {
    await using world = await worldHere();
    const options = world.options({});
    await expect(runSync(options)).rejects.toMatchObject({
      code: 'MR-D107',
      detail: expect.stringContaining('`createTable: auto`'),
    });
    const preview = await previewSync(options);
    expect(preview.findings).toEqual([
      { level: 'error', code: 'MR-D107', message: expect.stringContaining('createTable: auto') },
    ]);
    expect(preview.createTable?.sql).toMatch(/^CREATE TABLE .*\(\n {2}.id. \w+ NOT NULL,\n/);
    expect([preview.rows.length, preview.verdicts.length, preview.plan]).toEqual([3, 3, null]);
    expect(await world.tables()).toEqual([]);
  });

  test('is created once: a rerun replaces its rows, and another shape of it is left alone', async () => {
    await using world = await worldHere();
    const options = world.options({ createTable: 'auto', mode: 'truncate' });
    await runSync(options);
    await world.rows('ALTER TABLE dst ADD note varchar(9)');
    const again = { identity: { runNumber: 2, fence: '2' } };
    const run = await runSync({ ...options, ...again });
    expect(run.log.join('\n')).not.toContain('CREATE TABLE');
    expect(await world.count()).toBe(3);
    const { columns } = await world.described();
    expect(columns.map(({ name }) => name)).toEqual(['id', 'part', 'name', 'note']);
    const wrong = world.options({ createTable: 'no SQL at all', mode: 'truncate' });
    await runSync({ ...wrong, identity: { runNumber: 3, fence: '3' } });
    expect((await previewSync(wrong)).createTable).toBeNull();
  });

  test('is created by the statement of the configuration, of which a preview knows no column', async () => {
    await using world = await worldHere();
    const createTable = `-- as we want it
      CREATE TABLE dst (id bigint, part varchar(99), name varchar(99));
      CREATE INDEX by_name ON dst (name)`;
    const options = world.options({ createTable });
    const preview = await previewSync(options);
    expect(preview).toMatchObject({
      createTable: { sql: createTable, notes: [] },
      verdicts: [],
      columns: ['id', 'part', 'name'],
      findings: [{ level: 'info' }],
    });
    expect(preview.rows).toHaveLength(3);
    expect(await world.tables()).toEqual([]);
    await runSync(options);
    expect(await world.count()).toBe(3);
    const { columns, primaryKey } = await world.described();
    expect([columns[0]?.nativeType.startsWith('bigint'), primaryKey]).toEqual([true, []]);
  });

  test('stays missing when its statement fails, or makes another', async () => {
    await using world = await worldHere();
    const failing = world.options({ createTable: 'CREATE TABLE dst (id no_such_type)' });
    await expect(runSync(failing)).rejects.toMatchObject({
      code: 'MR-D222',
      detail: expect.stringMatching(/no_such_type/),
    });
    await world.rows('CREATE TABLE other (id int)');
    const taken = world.options({ createTable: 'CREATE TABLE other (id int)' });
    await expect(runSync(taken)).rejects.toMatchObject({
      code: 'MR-D222',
      detail: expect.stringContaining('already exists'),
    });
    const another = world.options({ createTable: 'CREATE TABLE another (id int)' });
    await expect(runSync(another)).rejects.toMatchObject({
      code: 'MR-D107',
      detail: expect.stringContaining('although the statement of `createTable` has run'),
    });
    expect(await world.tables()).not.toContain('dst');
  });

  test('is created by both of two runs that miss it at the same moment', async () => {
    await using world = await worldHere();
    const run = (part: string) =>
      runSync({
        ...world.options({ createTable: 'auto' }),
        reader: { table: 'src', where: `part = '${part}'` },
        identity: { nodeId: part, instanceId: part },
      });
    const runs = await Promise.all([run('a'), run('b')]);
    expect(runs.map(({ rowsWritten }) => rowsWritten)).toEqual([2, 1]);
    expect(await world.count()).toBe(3);
  });

  test('is not created by an account that may not, and the server says so', async () => {
    await using world = await worldHere();
    const user = `u_${world.to.name.slice(-8)}`;
    const isPostgres = target.kind === 'postgres';
    await world.rows(
      isPostgres
        ? `CREATE ROLE ${user} LOGIN PASSWORD 'secret'; REVOKE CREATE ON SCHEMA public FROM PUBLIC`
        : `CREATE USER ${user} IDENTIFIED BY 'secret'; GRANT SELECT, INSERT ON \`${world.to.name}\`.* TO ${user}`,
    );
    try {
      const server = { ...target, user, password: 'secret' };
      const to = endOf({ server, name: world.to.name });
      for (const createTable of ['auto', 'CREATE TABLE dst (id int)']) {
        const options = { ...world.options({ createTable }), to };
        await expect(runSync(options)).rejects.toMatchObject({
          code: 'MR-D106',
          detail: expect.stringMatching(/denied/),
        });
      }
      expect(await world.tables()).toEqual([]);
    } finally {
      await world.rows(
        isPostgres ? `DROP OWNED BY ${user}; DROP ROLE ${user}` : `DROP USER ${user}`,
      );
    }
  });

  test('has the columns of the mapping: by row, one by one, with functions and a constant', async () => {
    await using world = await worldHere();
    await runSync(
      world.options(
        { createTable: 'auto' },
        { mapping: { by: 'row', from: ['part', 'id'], to: ['p', 'no'] } },
      ),
    );
    const byRow = await world.described();
    expect([byRow.columns.map(({ name }) => name), byRow.primaryKey]).toEqual([
      ['p', 'no'],
      ['p', 'no'],
    ]);
    await world.rows('DROP TABLE dst');
    const options = world.options(
      { createTable: 'auto' },
      {
        mapping: {
          columns: [
            { from: 'id', to: 'no' },
            { position: 3, to: 'Name', functions: [{ function: 'substr', start: 0, length: 2 }] },
            { constant: '2026-11-20', to: 'ds' },
          ],
        },
        identity: { runNumber: 2, fence: '2' },
      },
    );
    expect((await previewSync(options)).rows).toContainEqual(['2', 'be', '2026-11-20']);
    await runSync(options);
    const { columns, primaryKey } = await world.described();
    expect(columns.map(({ name, nullable }) => [name, nullable])).toEqual([
      ['no', false],
      ['Name', true],
      ['ds', false],
    ]);
    expect(primaryKey).toEqual([]);
    const quote = target.kind === 'postgres' ? '"' : '`';
    const rows = await world.rows(
      `SELECT ds, ${quote}Name${quote} AS name FROM dst ORDER BY name DESC`,
    );
    expect(rows.filter(({ name }) => name !== null)).toEqual([
      { ds: '2026-11-20', name: 'be' },
      { ds: '2026-11-20', name: 'an' },
    ]);
  });

  test('has the partition in its key, so that every day may bring the same rows', async () => {
    await using world = await worldHere();
    const day = (ds: string, fence: string): SyncOptions =>
      world.options(
        {
          createTable: 'auto',
          mode: 'partition-overwrite',
          replace: { kind: 'partition', values: { ds } },
        },
        {
          identity: { fence, instanceId: fence },
          mapping: {
            columns: [
              ...['id', 'part', 'name'].map((name) => ({ from: name, to: name })),
              { constant: ds, to: 'ds' },
            ],
          },
        },
      );
    await runSync(day('2026-11-20', '1'));
    await runSync(day('2026-11-21', '2'));
    await runSync(day('2026-11-21', '3'));
    expect((await world.described()).primaryKey).toEqual(['ds', 'part', 'id']);
    expect(await world.count()).toBe(6);
  });

  test('has the key that rows are compared by, where the source has none', async () => {
    await using world = await worldOf(
      postgresServer,
      target,
      `CREATE TABLE src (code text, v int); INSERT INTO src VALUES ('a', 1), ('b', 2), ('a', 3)`,
    );
    const options = world.options({ createTable: 'auto', mode: 'upsert', key: ['code'] });
    const preview = await previewSync(options);
    expect([preview.plan?.strategy, preview.findings.map(({ level }) => level)]).toEqual([
      'staging',
      ['info'],
    ]);
    await runSync(options);
    expect((await world.described()).primaryKey).toEqual(['code']);
    expect(await world.rows('SELECT code, v FROM dst ORDER BY code')).toEqual([
      { code: 'a', v: 3 },
      { code: 'b', v: 2 },
    ]);
  });

  test('has columns for the versions of its rows, and a key of one version at a time', async () => {
    await using world = await worldHere();
    const day = (date: string, versions: object) =>
      world.options(
        { createTable: 'auto', mode: 'scd2', key: ['id', 'part'], versions },
        {
          identity: {
            fence: date.slice(-2),
            instanceId: date,
            scheduledTime: `${date}T02:00:00Z`,
          },
        },
      );
    const versions = { current: 'is_current' };
    const preview = await previewSync(day('2026-11-20', versions));
    expect(preview.findings.map(({ level }) => level)).toEqual(['info']);
    expect([preview.columns, preview.rows.length]).toEqual([['id', 'part', 'name'], 3]);
    await runSync(day('2026-11-20', versions));
    await execute(
      postgresServer,
      "UPDATE src SET name = 'Ann' WHERE name = 'ann'",
      world.from.name,
    );
    await runSync(day('2026-11-21', versions));
    const { columns, primaryKey } = await world.described();
    expect(primaryKey).toEqual(['id', 'part', 'valid_from']);
    expect(columns.map(({ name, nullable }) => [name, nullable]).slice(3)).toEqual([
      ['valid_from', false],
      ['valid_to', true],
      ['is_current', false],
    ]);
    expect(
      await world.rows(
        "SELECT name FROM dst WHERE id = 1 AND part = 'a' ORDER BY valid_from, valid_to IS NULL",
      ),
    ).toEqual([{ name: 'ann' }, { name: 'Ann' }]);
    await world.rows('DROP TABLE dst');
    await runSync(day('2026-11-22', { from: 'since', at: '2026-11-22', open: '9999-12-31' }));
    const dated = await world.described();
    expect(dated.columns.slice(3).map(({ type, nullable }) => [type.kind, nullable])).toEqual([
      ['date', false],
      ['date', false],
    ]);
  });

  test('is not created for a run that could not write', async () => {
    await using world = await worldOf(postgresServer, target, 'CREATE TABLE src (v int)');
    const keyless = world.options({ createTable: 'auto', mode: 'upsert' });
    await expect(runSync(keyless)).rejects.toMatchObject({ code: 'MR-D190' });
    const preview = await previewSync(keyless);
    expect(preview.findings).toContainEqual(
      expect.objectContaining({ level: 'error', code: 'MR-D190' }),
    );
    const twice = [
      { from: 'v', to: 'v' },
      { from: 'v', to: 'v' },
    ];
    const wrong = world.options({ createTable: 'auto' }, { mapping: { columns: twice } });
    await expect(runSync(wrong)).rejects.toMatchObject({ code: 'MR-D208' });
    expect(await world.tables()).toEqual([]);
  });

  test('takes the rows of an incremental read, and says when it is new and the cursor is not', async () => {
    await using world = await worldOf(
      postgresServer,
      target,
      'CREATE TABLE src (id int PRIMARY KEY); INSERT INTO src VALUES (1), (2)',
    );
    const run = (fence: string) =>
      runSync(
        world.options(
          { createTable: 'auto' },
          { incremental: { cursor: 'id' }, identity: { fence, instanceId: fence } },
        ),
      );
    const first = await run('1');
    expect([first.rowsWritten, first.log.join()]).toEqual([
      2,
      expect.not.stringContaining('again'),
    ]);
    await world.rows('DROP TABLE dst');
    await execute(postgresServer, 'INSERT INTO src VALUES (3)', world.from.name);
    const second = await run('2');
    expect(second.log).toContain(
      'The rows up to 2 were read by earlier runs and are not read again.',
    );
    expect(await world.count()).toBe(1);
  });

  test('takes the cells of a file, and two writers', async () => {
    await using world = await worldHere();
    const root = mkdtempSync(join(tmpdir(), 'create-table-'));
    try {
      writeFileSync(join(root, 'a.csv'), 'id,name\n1,ann\n2,"a, b"\n');
      writeFileSync(join(root, 'b.csv'), 'id,name\n3,cyd\n');
      const run = await runSync({
        ...world.options({ createTable: 'auto', mode: 'replace-swap' }),
        from: { kind: 'file', root },
        reader: { path: '*.csv' },
        channel: { concurrency: 2 },
      });
      expect(run.dirty).toEqual([]);
      expect(await world.rows('SELECT id, name FROM dst ORDER BY id')).toEqual([
        { id: '1', name: 'ann' },
        { id: '2', name: 'a, b' },
        { id: '3', name: 'cyd' },
      ]);
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});

describe.each(pairs)('of the result of a query, %s to %s', (_from, _to, source, target) => {
  test('a table has the types that hold it, and no key', async () => {
    await using world = await worldOf(
      source,
      target,
      `CREATE TABLE src (n decimal(9,2), v varchar(20), t text, d date, f float);
       INSERT INTO src VALUES (1234567.89, 'é', 'long', '2026-11-20', 0.5)`,
    );
    const query = 'SELECT n, v, t, d, f, n + 1 AS m, 7 AS i FROM src';
    const run = await runSync(world.options({ createTable: 'auto' }, { reader: { query } }));
    expect([run.rowsWritten, run.dirty]).toEqual([1, []]);
    const { columns, primaryKey } = await world.described();
    expect(columns.map(({ type }) => type.kind)).toEqual([
      'decimal',
      'text',
      'text',
      'date',
      'float',
      'decimal',
      'integer',
    ]);
    expect(primaryKey).toEqual([]);
    const [row] = await world.rows('SELECT n, v, t, f, m, i FROM dst');
    const cells = Object.values(row ?? {}).map((value) => String(value).replace(/\.?0+$/, ''));
    expect(cells).toEqual(['1234567.89', 'é', 'long', '0.5', '1234568.89', '7']);
  });
});

describe.each(postgresTestServers().map((s) => [s.name, s] as const))('in %s', (_name, target) => {
  test('the partition that no column is mapped to is added, and filled by the writer', async () => {
    await using world = await worldOf(postgresServer, target, SOURCE);
    const day = (ds: string, fence: string): SyncOptions =>
      world.options(
        {
          createTable: 'auto',
          mode: 'partition-overwrite',
          replace: { kind: 'partition', values: { ds } },
        },
        { identity: { fence, instanceId: fence } },
      );
    await runSync(day('2026-11-20', '1'));
    await runSync(day('2026-11-21', '2'));
    expect((await world.described()).primaryKey).toEqual(['ds', 'part', 'id']);
    expect(
      await world.rows('SELECT ds, count(*)::int AS n FROM dst GROUP BY 1 ORDER BY 1'),
    ).toEqual([
      { ds: '2026-11-20', n: 3 },
      { ds: '2026-11-21', n: 3 },
    ]);
  });

  test('a name that the server would cut is refused before anything is created', async () => {
    await using world = await worldOf(postgresServer, target, SOURCE);
    const long = '编号'.repeat(11);
    const mapping = { columns: [{ from: 'id', to: long }] };
    await expect(
      runSync(world.options({ createTable: 'auto' }, { mapping })),
    ).rejects.toMatchObject({
      code: 'MR-D208',
      detail: expect.stringContaining(`"${long}" is longer than the 63 bytes`),
    });
    expect(await world.tables()).toEqual([]);
  });

  test('types that are not there become text', async () => {
    await using world = await worldOf(
      postgresServer,
      target,
      `CREATE TYPE mood AS ENUM ('fine'); CREATE TABLE src (m mood, s int4range, n numeric(3,5));
       INSERT INTO src VALUES ('fine', '[1,2)', 0.00999)`,
    );
    const { createTable } = await previewSync(world.options({}));
    expect(createTable?.notes).toEqual(['"m": there is no type mood here: text']);
    await runSync(world.options({ createTable: 'auto' }));
    const { columns } = await world.described();
    expect(columns.map(({ nativeType }) => nativeType)).toEqual([
      'text',
      'int4range',
      'numeric(3,5)',
    ]);
    expect(await world.rows('SELECT m FROM dst')).toEqual([{ m: 'fine' }]);
  });
});

describe.each(mysqlTestServers().map((s) => [s.name, s] as const))('in %s', (_name, target) => {
  test('keys that differ by case or by a blank at the end all arrive', async () => {
    await using world = await worldOf(
      postgresServer,
      target,
      `CREATE TABLE src (code text PRIMARY KEY, kind varchar(9));
       INSERT INTO src VALUES ('a', 'x'), ('A', 'x'), ('a ', 'x'), ('ä', 'x')`,
    );
    const run = await runSync(world.options({ createTable: 'auto' }));
    expect(run.dirty).toEqual([]);
    expect(await world.count()).toBe(4);
    expect(run.log).toContain(
      'Created table: code: 768 characters at most, since it is of the key',
    );
  });

  test('texts of a row that is too long are LONGTEXT, and all characters arrive', async () => {
    const names = Array.from({ length: 30 }, (_, i) => `c${i}`);
    await using world = await worldOf(
      postgresServer,
      target,
      `CREATE TABLE src (${names.map((name, i) => `${name} varchar(${500 + i * 10})`).join(', ')});
       INSERT INTO src VALUES (${names.map((_, i) => `repeat('漢', ${500 + i * 10})`).join(', ')})`,
    );
    const run = await runSync(world.options({ createTable: 'auto' }));
    expect(run.dirty).toEqual([]);
    const { columns } = await world.described();
    const types = columns.map(({ nativeType }) => nativeType);
    expect([types[0], types.at(-1)]).toEqual(['varchar(500)', 'longtext']);
    expect(types.filter((type) => type === 'longtext').length).toBeLessThan(10);
    const [row] = await world.rows('SELECT CHAR_LENGTH(c0) AS a, CHAR_LENGTH(c29) AS z FROM dst');
    expect(row).toEqual({ a: 500, z: 790 });
  });

  test('the partition has to be mapped, and without it nothing is created', async () => {
    await using world = await worldOf(postgresServer, target, SOURCE);
    const options = world.options({
      createTable: 'auto',
      mode: 'partition-overwrite',
      replace: { kind: 'partition', values: { ds: '2026-11-20' } },
    });
    await expect(runSync(options)).rejects.toMatchObject({
      code: 'MR-D208',
      detail: expect.stringContaining("Map the constant '2026-11-20' to it"),
    });
    const { createTable } = await previewSync(options);
    expect(createTable?.sql).toContain('`ds` varchar(255)');
    expect(await world.tables()).toEqual([]);
  });

  test('a copy of a table of the same server has its types, character sets and collations', async () => {
    await using world = await worldOf(
      target,
      target,
      `SET sql_mode = ''; CREATE TABLE src (
         k varchar(20) CHARACTER SET latin1 COLLATE latin1_general_cs NOT NULL PRIMARY KEY,
         i int(6) unsigned zerofill, b boolean, y year, bi bit(7), d decimal(9,3) unsigned, f float,
         dt datetime(3), ts timestamp(6) NULL, t time(2), c char(3) COLLATE utf8mb4_bin,
         e enum('a','it''s','b\\\\c'), s set('x','y'), tt tinytext, mt mediumtext CHARACTER SET ucs2,
         bn binary(4), vb varbinary(30), bl tinyblob, g geometry, p point) CHARACTER SET utf8mb4;
       INSERT INTO src (k, e, ts) VALUES ('é', 'b\\\\c', '2026-11-20 01:02:03.000004'), ('É', 'it''s', NULL)`,
    );
    const run = await runSync(world.options({ createTable: 'auto' }));
    expect(run.dirty).toEqual([]);
    const shapeOf = ({ columns, primaryKey }: Awaited<ReturnType<typeof describeTable>>) => ({
      primaryKey,
      columns: columns.map(({ name, nativeType, charset, collation, nullable }) => ({
        name,
        nativeType,
        charset,
        collation,
        nullable,
      })),
    });
    const source = await describeTable(endOf(world.from), 'src');
    expect(shapeOf(await world.described())).toEqual(shapeOf(source));
    expect(await world.count()).toBe(2);
  });
});
