import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { createDatabase, execute, mysqlTestServers, testServers } from '../../support/servers.js';
import type { TestDatabase, TestServer } from '../../support/servers.js';
import { runSync } from '../../support/sync.js';
import type { SyncEnd, SyncOptions, SyncRun } from '../../support/sync.js';

const { postgres, postgres15 } = testServers();
const servers: readonly TestServer[] = [
  postgres,
  ...(postgres15 === undefined ? [] : [postgres15]),
  ...mysqlTestServers(),
];

const COLUMNS = `id bigint PRIMARY KEY, amount decimal(12,3), name varchar(40), made date, rate double precision,
  flag smallint, `;
const ROWS = `(1, 10.500, 'plain', '2024-02-29', 0.1, 1, `;

/** Values of which each server has its own text: fractions, NULL beside an empty text, other scripts, bytes. */
function tableOf({ kind }: TestServer): string {
  const isPostgres = kind === 'postgres';
  const own = isPostgres ? 'at timestamp(6), raw bytea' : 'at datetime(6), raw varbinary(40)';
  const bytes = (hex: string): string => (isPostgres ? `'\\x${hex}'` : `x'${hex}'`);
  return `CREATE TABLE src (${COLUMNS} ${own})${isPostgres ? '' : ' CHARACTER SET utf8mb4'};
    INSERT INTO src VALUES ${ROWS} '2024-02-29 10:00:00.5', ${bytes('00ff')}),
      (2, -0.001, '', NULL, NULL, 0, '1970-01-01 00:00:00', NULL),
      (3, 0, NULL, '0001-01-01', 1e300, NULL, '2024-03-01 23:59:59.999999', ${bytes('27')}),
      (-9223372036854775808, 999999999.999, '汉字 |,\u{1f600} n', '9999-12-31', -2.5, -1, NULL, ${bytes('5c27')})`;
}

function endOf({ server, name }: TestDatabase): SyncEnd {
  return { kind: server.kind === 'postgres' ? 'postgres' : 'mysql', server, database: name };
}

async function openPair(from: TestServer, to: TestServer) {
  const source = await createDatabase(from);
  const target = await createDatabase(to);
  await execute(from, tableOf(from), source.name);
  const setup = tableOf(to).replace('TABLE src', 'TABLE dst').replace('INTO src', 'INTO dst');
  await execute(to, setup, target.name);
  return {
    target,
    copy: (more: Partial<SyncOptions>): Promise<SyncRun> =>
      runSync({
        from: endOf(source),
        to: endOf(target),
        reader: { table: 'src' },
        writer: { table: 'dst', mode: 'truncate' },
        verification: 'checksum',
        ...more,
      }),
    rows: () => execute(to, 'SELECT name, amount FROM dst ORDER BY id', target.name),
    [Symbol.asyncDispose]: async () => {
      await source[Symbol.asyncDispose]();
      await target[Symbol.asyncDispose]();
    },
  };
}

const pairs = servers.flatMap((from) =>
  servers.map((to) => [`${from.name} -> ${to.name}`, from, to] as const),
);

test.each(pairs)('source and target agree on a checksum: %s', async (_, from, to) => {
  await using pair = await openPair(from, to);
  const { log, rowsWritten } = await pair.copy({ channel: { concurrency: 2 } });
  expect(rowsWritten).toBe(4);
  // MariaDB keeps no sign of zero.
  const isLossy = to.name === 'mariadb' && from.name !== 'mariadb';
  const floats = from.kind === to.kind && !isLossy ? [] : ['rate'];
  expect(log.filter((line) => line.startsWith('Verification: without'))).toEqual(
    floats.map((name) => `Verification: without ${name}: no text form in both systems`),
  );
  expect(log).toContainEqual(
    expect.stringMatching(/^Verified: 4 rows, checksum \d+ in source and target$/),
  );
});

const SENT: unknown = expect.stringMatching(
  /^Verified: \d+ rows, checksum \d+ as they were sent and in the target$/,
);

/** Values that a server writes in another way than the file does. */
const FILE_COLUMNS = `id int, small smallint, amount decimal(12,3), word varchar(40), padded char(6), made date`;
const FILE_LINES = [
  'id,small,amount,word,padded,made,at,raw',
  '1,007,+1.50,plain,ab,2024-02-29,2024-02-29 10:00:00.5,0a',
  '2,-5,-0.000,"汉字 |,😀 n",,1000-01-01,2024-02-29 00:00:00,\\N',
  '3,0,12,trailing  ,abcdef,9999-12-31,1999-12-31 23:59:59.999999,"q""q"',
  '4,,,,,,,',
];

function fileTableOf({ kind }: TestServer): string {
  const own = kind === 'postgres' ? 'at timestamp(6), raw bytea' : 'at datetime(6), raw blob';
  return `CREATE TABLE dst (${FILE_COLUMNS}, ${own})${kind === 'postgres' ? '' : ' CHARACTER SET utf8mb4'}`;
}

describe.each(servers.map((server) => [server.name, server] as const))('into %s', (_, server) => {
  const staging = async (database: TestDatabase): Promise<string> => {
    const [row] = await execute(
      server,
      `SELECT table_name AS name FROM information_schema.tables
        WHERE table_name LIKE 'millrace%stg%' AND ${server.kind === 'postgres' ? "table_schema = 'public'" : 'table_schema = DATABASE()'}`,
      database.name,
    );
    return String(row?.['name']);
  };

  test.each([
    ['count', 2, 'DELETE FROM $ WHERE id = 3', /holds 3 rows of the run, 4 were written/],
    [
      'checksum',
      1,
      "UPDATE $ SET name = 'Plain' WHERE id = 1",
      /4 rows .*, 4 rows .* in the target/,
    ],
    ['checksum', 1, 'UPDATE $ SET raw = NULL WHERE id = 1', /4 rows .*, 4 rows .* in the target/],
  ] as const)(
    '%s finds a change behind the commit, over %i channel(s): %s',
    async (verification, concurrency, change, detail) => {
      await using pair = await openPair(postgres, server);
      await execute(server, 'DELETE FROM dst WHERE id <> 1', pair.target.name);
      const before = await pair.rows();
      const run = pair.copy({
        verification,
        // One more row than channels, so that the work is cut for several writers.
        reader: { table: 'src', sliceKey: 'id' },
        channel: { concurrency },
        crashPoint: async (name) => {
          if (name !== 'sync:before-verify') return;
          const table = await staging(pair.target);
          await execute(server, change.replace('$', table), pair.target.name);
        },
      });
      await expect(run).rejects.toMatchObject({
        code: 'MR-D191',
        detail: expect.stringMatching(detail),
      });
      expect(await pair.rows()).toEqual(before);
    },
  );

  test('a mapping that changes values, a dirty row and append say what was verified instead', async () => {
    await using pair = await openPair(postgres, server);
    const changed = await pair.copy({
      mapping: { drop: [{ column: 'id', operator: '=', value: '3' }] },
    });
    expect(changed.log).toContainEqual(
      expect.stringMatching(
        /^Verification: checksum of the rows as they are sent, .* \(not by the source: the mapping/,
      ),
    );
    expect(changed.log).toContainEqual(SENT);
    await execute(server, 'DELETE FROM dst WHERE id = 2', pair.target.name);
    await execute(server, 'ALTER TABLE dst ADD CHECK (id <> 2)', pair.target.name);
    const dirty = await pair.copy({
      identity: { runNumber: 2, fence: '2' },
      channel: { dirtyLimit: { records: 1 } },
    });
    expect(dirty.log).toContain('Verified: 3 rows, counted in the target');
    const none = await pair.copy({
      identity: { runNumber: 3, fence: '3' },
      verification: 'none',
      channel: { dirtyLimit: { records: 1 } },
    });
    expect(none.log.filter((line) => line.startsWith('Verified'))).toEqual([]);
    await execute(server, 'DELETE FROM dst', pair.target.name);
    const added = await pair.copy({
      identity: { runNumber: 4, fence: '4' },
      writer: { table: 'dst', mode: 'append' },
      verification: 'count',
      channel: { dirtyLimit: { records: 1 } },
    });
    expect(added.log).toContain('Verified: 3 rows by what the target said it took');
  });

  test.each(['pg-copy-text', 'rows'] as const)(
    'rows of a file are compared as they were sent, on lane %s',
    async (lane) => {
      const root = await mkdtemp(join(tmpdir(), 'millrace-verify-'));
      await using target = await createDatabase(server);
      await execute(server, fileTableOf(server), target.name);
      const columns = (FILE_LINES[0] ?? '').split(',').map((name) => ({ from: name, to: name }));
      const copy = (more: Partial<SyncOptions>): Promise<SyncRun> =>
        runSync({
          from: { kind: 'file', root },
          to: endOf(target),
          reader: { path: '*.csv' },
          writer: { table: 'dst', mode: 'truncate' },
          verification: 'checksum',
          lane,
          // Cells become bytes on the row lane alone.
          ...(lane === 'rows' ? {} : { mapping: { columns: columns.slice(0, -1) } }),
          ...more,
        });
      try {
        const [head, ...lines] = FILE_LINES;
        await writeFile(join(root, 'a.csv'), [head, ...lines.slice(0, 2), ''].join('\n'));
        await writeFile(join(root, 'b.csv'), [head, ...lines.slice(2), ''].join('\n'));
        for (const concurrency of [1, 2]) {
          const run = await copy({
            channel: { concurrency },
            identity: { runNumber: concurrency, fence: String(concurrency) },
          });
          expect(run).toMatchObject({ lane, rowsWritten: 4 });
          expect(run.log).toContainEqual(SENT);
          expect(run.log.filter((line) => /Verification: without/.test(line))).toEqual([]);
        }
        const changed = copy({
          identity: { runNumber: 3, fence: '3' },
          crashPoint: async (name) => {
            if (name !== 'sync:before-verify') return;
            const table = await staging(target);
            await execute(server, `UPDATE ${table} SET small = 8 WHERE id = 1`, target.name);
          },
        });
        await expect(changed).rejects.toMatchObject({
          code: 'MR-D191',
          detail: expect.stringMatching(/as they were sent, 4 rows with .* in the target/),
        });
      } finally {
        await rm(root, { recursive: true });
      }
    },
  );
});

test('a value without a text that both sides write alike is said, and the rows are counted', async () => {
  await using pair = await openPair(postgres, postgres);
  const { target } = pair;
  await execute(
    target.server,
    "CREATE TABLE odd (id int, made date, at text); INSERT INTO odd VALUES (1, 'infinity', 'x'), (2, '2024-01-01', 'y')",
    target.name,
  );
  await execute(
    target.server,
    'CREATE TABLE odd_copy (id int, made date, at text, rate real DEFAULT 1)',
    target.name,
  );
  const mapping = { columns: ['id', 'made'].map((name) => ({ from: name, to: name })) };
  const run = await pair.copy({
    from: endOf(target),
    reader: { table: 'odd' },
    writer: { table: 'odd_copy', mode: 'truncate' },
    mapping: { columns: [...mapping.columns, { constant: '0.5', to: 'rate' }] },
  });
  expect(run.log).toContain('Verification: without rate: no text form in both systems');
  expect(run.log).toContain(
    'Verification: no checksum, made has values without a text form in both systems; the rows are counted.',
  );
  expect(run.log).toContain('Verified: 2 rows, counted in the target');
});

test.each(mysqlTestServers().map((server) => [server.name, server] as const))(
  'years and ZEROFILL of %s have the checksum of the numbers that they are',
  async (_, server) => {
    await using source = await createDatabase(server);
    await using target = await createDatabase(postgres);
    await execute(
      server,
      'CREATE TABLE src (n int(5) zerofill, d decimal(7,2) zerofill, y year); INSERT INTO src VALUES (7, 1.5, 0), (0, 0, 2024)',
      source.name,
    );
    await execute(postgres, 'CREATE TABLE dst (n int, d numeric(7,2), y int)', target.name);
    const { log } = await runSync({
      from: endOf(source),
      to: endOf(target),
      reader: { table: 'src' },
      writer: { table: 'dst' },
      verification: 'checksum',
    });
    expect(log).toContainEqual(expect.stringMatching(/^Verified: 2 rows, checksum .* in source/));
  },
);
