import { describe, expect, test } from '@jest/globals';
import type { Lane } from '@millrace/sdk';

import { createDatabase, execute, mysqlTestServers, testServers } from '../../support/servers.js';
import type { TestDatabase } from '../../support/servers.js';
import { runSync } from '../../support/sync.js';
import type { SyncOptions } from '../../support/sync.js';

const LANES: readonly Lane[] = ['rows', 'pg-copy-text'];

/** Source type, the target's type, and hard values as SQL. Those the target has no place for are dirty. */
const CORPUS: Readonly<Record<string, readonly [from: string, to: string, ...values: string[]]>> = {
  ti: ['tinyint', 'smallint', '-128', '127'],
  tiz: ['tinyint(3) unsigned zerofill', 'smallint', '0', '7', '255'],
  bool: ['boolean', 'smallint', '0', '1', '2'],
  i: ['int', 'integer', '-2147483648', '2147483647', '0'],
  iz: ['int(10) unsigned zerofill', 'bigint', '0', '42', '4294967295'],
  bi: ['bigint', 'bigint', '-9223372036854775808', '9007199254740993'],
  bu: ['bigint unsigned', 'numeric(20,0)', '18446744073709551615'],
  bs: ['bigint unsigned', 'bigint', '18446744073709551615', '5'],
  de: ['decimal(65,30)', 'numeric(65,30)', '-0.000000000000000000000000000001', '0.1'],
  d2: ['decimal(10,2)', 'numeric', '99999999.99', '-0.01'],
  f: [
    'float',
    'real',
    '3.4028235e38',
    '1.17549435e-38',
    '1e-45',
    '16777217',
    '0.1',
    '-0e0',
    '123456.79',
    '21666.66',
  ],
  db: ['double', 'double precision', '1.7976931348623157e308', '0.1', '-0e0', '9007199254740993'],
  b1: ['bit(1)', 'bit(1)', "b'0'", "b'1'"],
  b64: ['bit(64)', 'bit(64)', '18446744073709551615', "b'1'"],
  y: ['year', 'smallint', '0', '1901', '2155'],
  da: ['date', 'date', "'0000-00-00'", "'2024-00-10'", "'9999-12-31'", "'1000-01-01'"],
  dt: ['datetime(6)', 'timestamp', "'9999-12-31 23:59:59.999999'", "'0000-00-00 00:00:00'"],
  ts: [
    'timestamp(6) null',
    'timestamptz',
    "'1970-01-01 00:00:01'",
    "'2024-10-27 00:30:00.000001'",
    "'0000-00-00 00:00:00'",
  ],
  c: ['char(10)', 'char(10)', "'a'", "''", "'  lead'"],
  cv: ['char(10)', 'varchar(10)', "'a'", "'  lead'"],
  v: [
    'varchar(60)',
    'varchar(60)',
    "''",
    "'trailing   '",
    "'\\\\N'",
    "'\\\\.'",
    "'tab\\tcr\\rlf\\n'",
    'concat(char(8 using utf8mb4), char(11 using utf8mb4), char(12 using utf8mb4), char(127 using utf8mb4))',
    "concat('nul', char(0 using utf8mb4), 'end')",
    "'😀 漢字 é'",
    "'NULL'",
  ],
  la: ['varchar(20) character set latin1', 'text', "'é€'"],
  tx: ['text', 'text', "repeat('x', 65535)", "repeat('é\\\\', 15000)"],
  lt: ['longtext', 'text', "repeat('漢😀', 150000)"],
  bn: ['binary(4)', 'bytea', "x'00000000'", "x'ff00ff00'"],
  vb: ['varbinary(300)', 'bytea', "x''", "x'00ff1a5c270d0a'", "repeat(x'5c', 252)"],
  bl: ['mediumblob', 'bytea', "repeat(x'00275cff', 250000)"],
  j: ['json', 'json', `'{"a": [1, 2.5, "x\\\\u0000y", null]}'`, '\'"😀"\''],
  en: ["enum('a','b,c','it''s')", 'text', "'b,c'", "'it''s'"],
  se: ["set('x','y','z')", 'text', "'x,z'", "''"],
};

interface Pair extends AsyncDisposable {
  readonly from: TestDatabase;
  readonly to: TestDatabase;
}

async function openPair(server: Parameters<typeof createDatabase>[0]): Promise<Pair> {
  const from = await createDatabase(server);
  const to = await createDatabase(testServers().postgres);
  return {
    from,
    to,
    [Symbol.asyncDispose]: async () => {
      await from[Symbol.asyncDispose]();
      await to[Symbol.asyncDispose]();
    },
  };
}

function between(pair: Pair, lane: Lane, more: Partial<SyncOptions> = {}): SyncOptions {
  return {
    from: { kind: 'mysql', server: pair.from.server, database: pair.from.name },
    to: { kind: 'postgres', server: pair.to.server, database: pair.to.name },
    reader: { table: 'src' },
    writer: { table: 'dst', mode: 'append' },
    lane,
    ...more,
  };
}

function corpusSql(): readonly string[] {
  const lines = [`CREATE TABLE src (id int PRIMARY KEY, name varchar(10)) CHARACTER SET utf8mb4`];
  for (const [name, [definition]] of Object.entries(CORPUS))
    lines.push(`ALTER TABLE src ADD COLUMN \`${name}\` ${definition} NULL`);
  let id = 0;
  for (const [name, [, , ...values]] of Object.entries(CORPUS))
    for (const value of values)
      lines.push(`INSERT INTO src (id, name, \`${name}\`) VALUES (${id++}, '${name}', ${value})`);
  return lines.map((line) => line.replaceAll(' null NULL', ' NULL'));
}

const targetSql = (table: string): string =>
  `CREATE TABLE ${table} (id int PRIMARY KEY, name text, ${Object.entries(CORPUS)
    .map(([name, [, to]]) => `${name} ${to}`)
    .join(', ')})`;

describe.each(mysqlTestServers().map((server) => [server.name, server] as const))(
  '%s to PostgreSQL',
  (_name, server) => {
    test('every lane gives the same target bytes for every type, and the same dirty rows', async () => {
      await using pair = await openPair(server);
      const mode = "SET sql_mode = '', time_zone = '+00:00'";
      await execute(server, [mode, ...corpusSql()].join(';\n'), pair.from.name);
      const found: Record<string, unknown> = {};
      for (const lane of LANES) {
        const table = lane === 'rows' ? 'by_rows' : 'by_text';
        await execute(pair.to.server, targetSql(table), pair.to.name);
        const run = await runSync(
          between(pair, lane, {
            writer: { table, mode: 'append' },
            channel: { dirtyLimit: { records: 20 } },
            identity: { instanceId: table, nodeId: table },
          }),
        );
        expect(run.lane).toBe(lane);
        const dirty = run.dirty.map((d) => [d.cells[0], d.cells[1], d.cells.map(shown)]);
        const rows = await execute(
          pair.to.server,
          `SELECT t::text AS row FROM ${table} AS t ORDER BY id`,
          pair.to.name,
        );
        expect(run.rowsWritten).toBe(rows.length);
        found[lane] = { rows, dirty: dirty.toSorted((a, b) => Number(a[0]) - Number(b[0])) };
        expect(dirty.map(([, column]) => String(column)).toSorted()).toEqual([
          'bs',
          'da',
          'da',
          'dt',
          'ts',
          'v',
        ]);
      }
      expect(found['pg-copy-text']).toEqual(found['rows']);
    });

    test('the planner takes wire text by itself, with every slice', async () => {
      await using pair = await openPair(server);
      await execute(
        server,
        'CREATE TABLE src (id bigint PRIMARY KEY, t varchar(100), d decimal(15,2)) CHARACTER SET utf8mb4',
        pair.from.name,
      );
      await execute(
        server,
        `INSERT INTO src WITH digits AS (SELECT 0 AS d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4
           UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)
         SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS i, CONCAT('a\\tb', a.d + 10 * b.d + 100 * c.d + 1000 * e.d), 1.25
           FROM digits a, digits b, digits c, digits e`,
        pair.from.name,
      );
      await execute(
        pair.to.server,
        'CREATE TABLE dst (id bigint PRIMARY KEY, t varchar(100), d numeric(15,2))',
        pair.to.name,
      );
      const { lane: _lane, ...options } = between(pair, 'rows');
      const channel = { concurrency: 3, dirtyLimit: { records: 0 } };
      const run = await runSync({ ...options, channel });
      expect(run.lane).toBe('pg-copy-text');
      const [row] = await execute(
        pair.to.server,
        `SELECT count(*)::int AS rows, count(*) FILTER (WHERE t = E'a\\tb' || id::text AND d = 1.25)::int AS good FROM dst`,
        pair.to.name,
      );
      expect(row).toEqual({ rows: 10_000, good: 10_000 });
    });

    test('rows larger than a packet of 16 MB come through', async () => {
      await using pair = await openPair(server);
      await execute(server, 'SET GLOBAL max_allowed_packet = 67108864');
      await execute(
        server,
        `CREATE TABLE src (id int PRIMARY KEY, b longblob, t longtext);
         INSERT INTO src VALUES (1, x'00', 'one'), (2, REPEAT(x'005c0aff', 5000000), 'two'), (3, NULL, REPEAT('ab\\n', 100000)), (4, NULL, '')`,
        pair.from.name,
      );
      await execute(
        pair.to.server,
        'CREATE TABLE dst (id int PRIMARY KEY, b bytea, t text)',
        pair.to.name,
      );
      const run = await runSync(between(pair, 'pg-copy-text'));
      expect(run.lane).toBe('pg-copy-text');
      const rows = await execute(
        pair.to.server,
        `SELECT id, length(b) AS bytes, md5(b) = md5(decode(repeat('005c0aff', 5000000), 'hex')) AS same, length(t) AS chars FROM dst ORDER BY id`,
        pair.to.name,
      );
      expect(rows).toEqual([
        { id: 1, bytes: 1, same: false, chars: 3 },
        { id: 2, bytes: 20_000_000, same: true, chars: 3 },
        { id: 3, bytes: null, same: null, chars: 300_000 },
        { id: 4, bytes: null, same: null, chars: 0 },
      ]);
    });

    test.each(LANES)('lane %s ends at once when it is stopped, with the reason', async (lane) => {
      await using pair = await openPair(server);
      await execute(
        server,
        `CREATE TABLE src (id int PRIMARY KEY);
         INSERT INTO src VALUES (1),(2),(3),(4),(5),(6),(7),(8),(9),(10),(11),(12),(13),(14),(15),(16),(17),(18),(19),(20)`,
        pair.from.name,
      );
      await execute(pair.to.server, 'CREATE TABLE dst (id int)', pair.to.name);
      const stop = new AbortController();
      const reason = new Error('stopped by the test');
      const query = `SELECT a.id FROM ${'abcdefg'
        .split('')
        .map((alias) => `src ${alias}`)
        .join(', ')}`;
      const running = runSync(between(pair, lane, { reader: { query }, signal: stop.signal }));
      setTimeout(() => stop.abort(reason), 700);
      await expect(running).rejects.toBe(reason);
      const left = async (): Promise<unknown[]> => {
        const all = await execute(server, 'SHOW FULL PROCESSLIST');
        return all.filter((row) => row['db'] === pair.from.name);
      };
      // The server learns that nobody reads any more when it writes next.
      for (let look = 0; look < 50 && (await left()).length > 0; look++)
        await new Promise((resolve) => setTimeout(resolve, 100));
      expect(await left()).toEqual([]);
    });

    test('an error in the middle of the rows is the error of the run', async () => {
      await using pair = await openPair(server);
      await execute(
        server,
        `CREATE TABLE src (id int PRIMARY KEY, two int); INSERT INTO src VALUES (1, 1), (2, 1), (3, 1)`,
        pair.from.name,
      );
      await execute(pair.to.server, 'CREATE TABLE dst (id int, two int)', pair.to.name);
      const query =
        'SELECT a.id, (SELECT b.two FROM src b WHERE b.id <= a.id AND a.id = 3) AS two FROM src a';
      await expect(
        runSync(between(pair, 'pg-copy-text', { reader: { query } })),
      ).rejects.toMatchObject({ code: 'MR-D204', detail: expect.stringContaining('1242') });
      expect(await execute(pair.to.server, 'SELECT * FROM dst', pair.to.name)).toEqual([]);
    });
  },
);

function shown(cell: unknown): unknown {
  return cell instanceof Uint8Array ? Buffer.from(cell).toString('hex') : cell;
}
