import { describe, expect, test } from '@jest/globals';

import { createDatabase, execute, mysqlTestServers } from '../../../test/support/servers.js';
import type { TestDatabase } from '../../../test/support/servers.js';
import { configOf, runSync } from './testing/sync-run.js';

/** Column definition, the SQL that shows it exactly, and hard values as SQL. */
const CORPUS: Readonly<Record<string, readonly [definition: string, ...values: string[]]>> = {
  ti: ['tinyint', '-128', '127'],
  tiz: ['tinyint(3) unsigned zerofill', '0', '7', '255'],
  bool: ['boolean', '0', '1', '2'],
  si: ['smallint', '-32768', '32767'],
  mi: ['mediumint', '-8388608', '8388607'],
  i: ['int', '-2147483648', '2147483647', '0'],
  iz: ['int(10) unsigned zerofill', '0', '42', '4294967295'],
  bi: ['bigint', '-9223372036854775808', '9223372036854775807', '9007199254740993'],
  bu: ['bigint unsigned', '18446744073709551615', '9223372036854775808'],
  de: [
    'decimal(65,30)',
    '99999999999999999999999999999999999.999999999999999999999999999999',
    '-0.000000000000000000000000000001',
    '0.1',
  ],
  d2: ['decimal(10,2) unsigned', '99999999.99', '0.01'],
  d0: ['decimal(20,0)', '-99999999999999999999'],
  f: ['float', '3.4028235e38', '1.17549435e-38', '1e-45', '16777217', '0.1', '-0e0', '123456.79'],
  db: ['double', '1.7976931348623157e308', '5e-324', '0.1', '-0e0', '9007199254740993', '1e22'],
  b1: ['bit(1)', "b'0'", "b'1'"],
  b10: ['bit(10)', "b'1000000001'", "b'1'"],
  b64: ['bit(64)', '18446744073709551615', "b'1'"],
  y: ['year', '0', '1901', '2155', '2024'],
  da: ['date', "'0000-00-00'", "'2024-00-10'", "'9999-12-31'", "'1000-01-01'", "'2024-02-29'"],
  dt: ['datetime(6)', "'9999-12-31 23:59:59.999999'", "'0000-00-00 00:00:00'"],
  dt0: ['datetime', "'2024-03-31 02:30:00'", "'1000-01-01 00:00:00'"],
  ts: [
    'timestamp(6) null',
    "'1970-01-01 00:00:01'",
    "'2038-01-19 03:14:07.999999'",
    "'2024-10-27 00:30:00'",
    "'2024-10-27 01:30:00'",
    "'0000-00-00 00:00:00'",
  ],
  tm: ['time(6)', "'-838:59:59.000000'", "'838:59:59.000000'", "'-00:00:00.000001'", "'24:00:00'"],
  tm0: ['time', "'-00:00:01'", "'100:00:00'"],
  c: ['char(10)', "'a'", "''", "'  lead'"],
  v: [
    'varchar(60)',
    "''",
    "'trailing   '",
    "'\\\\N'",
    "'\\\\.'",
    "'tab\\tcr\\rlf\\n'",
    "'it''s \\\\ \"q\" `b`'",
    "concat('nul', char(0 using utf8mb4), 'end', char(26 using utf8mb4))",
    "'😀 漢字 é'",
    "'NULL'",
    "'%_;--/*'",
  ],
  bi_: ['varchar(20) collate utf8mb4_bin', "'A'", "'a '"],
  la: ['varchar(20) character set latin1', "'é€'"],
  u2: ['varchar(20) character set ucs2', "'漢字'"],
  bt: ['varchar(20) character set binary', "x'00ff5c27'"],
  tx: ['text', "repeat('x', 65535)", "repeat('é', 32767)"],
  lt: ['longtext', "repeat('漢😀', 150000)"],
  bn: ['binary(4)', "x'00000000'", "x'20202020'", "x'ff00ff00'"],
  vb: ['varbinary(300)', "x''", "x'00ff1a5c270d0a'", "repeat(x'5c', 300)"],
  bl: ['mediumblob', "repeat(x'00275cff', 250000)", "x''"],
  j: [
    'json',
    `'{"a": [1, 2.5, "x\\\\u0000y", null, true], "n": 9223372036854775807}'`,
    '\'"😀"\'',
    "'null'",
    "'18446744073709551615'",
  ],
  en: ["enum('a','b,c','it''s','2','')", "'b,c'", "'it''s'", "'2'", "''"],
  se: ["set('x','y','z')", "'x,z'", "''", "'x,y,z'"],
  ge: [
    'geometry',
    "ST_GeomFromText('POINT(1.5 -2.25)', 4326)",
    "ST_GeomFromText('LINESTRING(0 0,1 1)')",
  ],
};

const ROWS = Math.max(...Object.values(CORPUS).map((c) => c.length - 1));

function corpusSql(): string {
  const entries = Object.entries(CORPUS);
  const definitions = entries.map(([name, [definition]]) =>
    definition.endsWith(' null') ? `\`${name}\` ${definition}` : `\`${name}\` ${definition} NULL`,
  );
  const inserts = Array.from({ length: ROWS }, (_, row) => {
    const values = entries.map(([, [, ...v]]) => v[row] ?? 'NULL');
    return `INSERT INTO hard (id, ${entries.map(([n]) => `\`${n}\``).join(',')}) VALUES (${row}, ${values.join(',')})`;
  });
  return [
    "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00'",
    `CREATE TABLE hard (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, ${definitions.join(', ')},
       gen bigint GENERATED ALWAYS AS (\`i\` + 1) STORED) CHARACTER SET utf8mb4`,
    'CREATE TABLE copy LIKE hard',
    ...inserts,
    `INSERT INTO hard (id) VALUES (${ROWS}), (18446744073709551615)`,
  ].join(';\n');
}

/** What the server itself says of every cell, so that no driver stands between. */
async function fingerprint(db: TestDatabase, table: string): Promise<unknown> {
  const shown = Object.entries(CORPUS).map(([name, [definition]]) => {
    const exact =
      definition === 'float'
        ? `CONCAT(\`${name}\` * 1E0)`
        : definition.startsWith('bit')
          ? `CONCAT(\`${name}\` + 0)`
          : /^(geometry|binary|varbinary|mediumblob)/.test(definition)
            ? `\`${name}\``
            : `CONCAT(\`${name}\`)`;
    return `SHA2(HEX(${exact}), 256) AS \`${name}\``;
  });
  return execute(
    db.server,
    `SET time_zone = '+00:00'; SELECT CONCAT(id) AS id, CONCAT(gen) AS gen, ${shown.join(', ')} FROM ${table} ORDER BY id`,
    db.name,
  );
}

for (const server of mysqlTestServers()) {
  describe(`hard values on ${server.name}`, () => {
    test.each([1, 3])(
      'come back unchanged, as the server itself sees them, with %d writers',
      async (writers) => {
        await using db = await createDatabase(server);
        await execute(server, corpusSql(), db.name);
        const config = configOf(db);
        const run = await runSync({
          from: config,
          to: config,
          reader: { table: 'hard' },
          writer: { table: 'copy' },
          writers,
        });
        expect(run.dirty).toEqual([]);
        expect(run.plan?.strategy).toBe(writers === 1 ? 'transaction' : 'staging');
        expect(run.stats.rowsPublished).toBe(ROWS + 2);
        expect(await fingerprint(db, 'copy')).toEqual(await fingerprint(db, 'hard'));
      },
    );

    test('come back unchanged through a query instead of a table', async () => {
      await using db = await createDatabase(server);
      await execute(server, corpusSql(), db.name);
      const config = configOf(db);
      const columns = ['id', ...Object.keys(CORPUS)];
      const run = await runSync({
        from: config,
        to: config,
        reader: { query: `SELECT ${columns.map((c) => `\`${c}\``).join(', ')} FROM hard -- all` },
        writer: { table: 'copy' },
      });
      expect(run.dirty).toEqual([]);
      expect(await fingerprint(db, 'copy')).toEqual(await fingerprint(db, 'hard'));
    });
  });
}
