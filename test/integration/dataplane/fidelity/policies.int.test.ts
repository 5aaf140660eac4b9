import { describe, expect, test } from '@jest/globals';

import {
  createDatabase,
  execute,
  mysqlTestServers,
  testServers,
} from '../../../support/servers.js';
import { runSync } from '../../../support/sync.js';

describe.each(mysqlTestServers().map((server) => [server.name, server] as const))(
  'policies between %s and PostgreSQL',
  (_name, server) => {
    test('give zero dates and U+0000 another form, as they say, and count each', async () => {
      await using from = await createDatabase(server);
      await using to = await createDatabase(testServers().postgres);
      await execute(
        server,
        `SET sql_mode = '', time_zone = '+00:00';
         CREATE TABLE src (id int PRIMARY KEY, d date, ts datetime(6), t varchar(20)) CHARACTER SET utf8mb4;
         INSERT INTO src VALUES (1, '0000-00-00', '0000-00-00 00:00:00', 'plain'),
           (2, '2024-00-10', '2024-02-29 12:00:00.000001', CONCAT('a', CHAR(0 USING utf8mb4), 'b')),
           (3, '2024-02-29', NULL, CHAR(0 USING utf8mb4)), (4, NULL, '2024-12-31 00:00:00', '')`,
        from.name,
      );
      const ends = {
        from: { kind: 'mysql', server, database: from.name },
        to: { kind: 'postgres', server: to.server, database: to.name },
        reader: { table: 'src' },
        writer: { table: 'dst', mode: 'append' },
      } as const;
      await execute(
        to.server,
        'CREATE TABLE dst (id int PRIMARY KEY, d date, ts timestamp, t text)',
        to.name,
      );
      const run = await runSync({
        ...ends,
        policies: { zeroDate: 'null', nulCharacter: 'replace' },
      });
      expect(run).toMatchObject({ lane: 'rows', rowsWritten: 4, rowsDirty: 0 });
      expect(run.policies).toEqual([
        { policy: 'zeroDate', column: 'd', count: 2 },
        { policy: 'zeroDate', column: 'ts', count: 1 },
        { policy: 'nulCharacter', column: 't', count: 2 },
      ]);
      expect(run.log).toContain('Policy zeroDate applied in column d: 2 values');
      const rows = await execute(
        to.server,
        'SELECT id, d::text, ts::text, t FROM dst ORDER BY id',
        to.name,
      );
      expect(rows).toEqual([
        { id: 1, d: null, ts: null, t: 'plain' },
        { id: 2, d: null, ts: '2024-02-29 12:00:00.000001', t: 'a\uFFFDb' },
        { id: 3, d: '2024-02-29', ts: null, t: '\uFFFD' },
        { id: 4, d: null, ts: '2024-12-31 00:00:00', t: '' },
      ]);
    });

    test('make NULL of NaN and infinity where they are asked to, and leave NOT NULL columns to the limit', async () => {
      await using from = await createDatabase(testServers().postgres);
      await using to = await createDatabase(server);
      await execute(
        from.server,
        `CREATE TABLE src (id int PRIMARY KEY, f float8, n numeric(5,2), d date, must float8);
         INSERT INTO src VALUES (1, 'NaN', 'NaN', 'infinity', 1), (2, '-Infinity', 1.5, '2024-02-29', 2),
           (3, 0.1, NULL, '-infinity', 'NaN')`,
        from.name,
      );
      await execute(
        server,
        'CREATE TABLE dst (id int PRIMARY KEY, f double, n decimal(5,2), d date, must double NOT NULL)',
        to.name,
      );
      const run = await runSync({
        from: { kind: 'postgres', server: from.server, database: from.name },
        to: { kind: 'mysql', server, database: to.name },
        reader: { table: 'src' },
        writer: { table: 'dst', mode: 'append' },
        channel: { dirtyLimit: { records: 1 } },
        policies: { notFinite: 'null' },
      });
      expect(run).toMatchObject({ rowsWritten: 2, rowsDirty: 1 });
      expect(run.dirty[0]?.column).toBe('must');
      expect(run.policies.filter((p) => p.policy === 'notFinite')).toEqual([
        { policy: 'notFinite', column: 'f', count: 2 },
        { policy: 'notFinite', column: 'n', count: 1 },
        { policy: 'notFinite', column: 'd', count: 2 },
        { policy: 'notFinite', column: 'must', count: 1 },
      ]);
      expect(
        await execute(
          server,
          'SELECT id, f, CONCAT(n) AS n, CONCAT(d) AS d FROM dst ORDER BY id',
          to.name,
        ),
      ).toEqual([
        { id: 1, f: null, n: null, d: null },
        { id: 2, f: null, n: '1.50', d: '2024-02-29' },
      ]);
    });
  },
);
