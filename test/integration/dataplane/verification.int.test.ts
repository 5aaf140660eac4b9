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
    expect(changed.log).toContain(
      'Verification: no checksum, the mapping changes values; the rows are counted.',
    );
    expect(changed.log).toContain('Verified: 3 rows, counted in the target');
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
});
