import type { Column, Mapping, ResolvedDataSource, Row, TableSchema } from '@millrace/sdk';
import {
  describeDataSource,
  describeNode,
  describeReader,
  describeWriter,
  parseConfig,
} from '@millrace/testkit';

import { createDatabase, execute, mysqlTestServers } from '../../../test/support/servers.js';
import type { TestServer } from '../../../test/support/servers.js';
import { mysqlDataSourceSchema } from './config.js';
import { mysqlDataSource } from './data-source.js';
import { mysqlReader } from './reader.js';
import { mysqlSqlNode } from './sql-node.js';
import { mysqlWriter } from './writer.js';

interface World extends AsyncDisposable {
  readonly raw: Readonly<Record<string, unknown>>;
  readonly dataSource: ResolvedDataSource;
  readonly user: string;
  readonly sql: (text: string) => Promise<readonly Record<string, unknown>[]>;
  readonly leftovers: () => Promise<readonly string[]>;
  readonly ledger: () => Promise<readonly string[]>;
}

/** A database and a user that may do everything in it and nothing else. */
async function openWorld(server: TestServer, setup: string): Promise<World> {
  const database = await createDatabase(server);
  const sql = (text: string) => execute(server, text, database.name);
  const user = database.name.slice(-12);
  const password = "p&w'd\\ü";
  await sql(
    `CREATE USER '${user}'@'%' IDENTIFIED BY 'p&w''d\\\\ü'; GRANT ALL ON \`${database.name}\`.* TO '${user}'@'%'; ${setup}`,
  );
  const { host, port } = server;
  const raw = { host, port, user, password, database: database.name, tls: { mode: 'prefer' } };
  const config = await parseConfig(mysqlDataSourceSchema, raw);
  return {
    raw,
    user,
    dataSource: { name: 'my', type: 'mysql', config },
    sql,
    leftovers: async () => {
      const rows = await sql(
        `SELECT CONCAT(COMMAND, ' ', COALESCE(STATE, '')) AS what FROM information_schema.PROCESSLIST WHERE USER = '${user}'
         UNION ALL SELECT TABLE_NAME FROM information_schema.TABLES
          WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME REGEXP '^millrace_(stg|old)_'`,
      );
      return rows.map((r) => String(r['what']));
    },
    ledger: async () => {
      const rows = await sql('SELECT scheduled_time AS time FROM millrace_ledger ORDER BY 1');
      return rows.map((r) => String(r['time']));
    },
    [Symbol.asyncDispose]: async () => {
      await sql(`DROP USER '${user}'@'%'`);
      await database[Symbol.asyncDispose]();
    },
  };
}

const column = (name: string, nativeType: string, type: Column['type']): Column => ({
  name,
  nativeType,
  type,
  nullable: true,
});

const SOURCE: TableSchema = {
  table: 'source',
  primaryKey: [],
  columns: [
    column('id', 'bigint', { kind: 'integer', bits: 64, unsigned: false }),
    column('name', 'text', { kind: 'text' }),
    column('amount', 'numeric', { kind: 'decimal' }),
    column('at', 'timestamp with time zone', { kind: 'timestamp', fraction: 6, zoned: true }),
    column('raw', 'bytea', { kind: 'bytes' }),
    column('flag', 'boolean', { kind: 'boolean' }),
    column('tag', 'text', { kind: 'text' }),
  ],
};
const MAPPING: Mapping = {
  columns: SOURCE.columns.map((source) => ({ source, target: source.name.toUpperCase() })),
};

const URLS = {
  urls: [
    {
      url: 'jdbc:mysql://db.example.com:3307/shop?user=u&password=p%26&sslMode=VERIFY_IDENTITY',
      expected: {
        host: 'db.example.com',
        port: 3307,
        database: 'shop',
        user: 'u',
        password: 'p&',
        tls: { mode: 'verify' },
      },
    },
    { url: 'jdbc:mysql://h/d', expected: { host: 'h', port: 3306, database: 'd' } },
    { url: ' jdbc:mariadb://[::1]:80/d ', expected: { host: '::1', port: 80, database: 'd' } },
    {
      url: 'mysql://u:p%40@h/d?useSSL=false',
      expected: {
        host: 'h',
        port: 3306,
        database: 'd',
        user: 'u',
        password: 'p@',
        tls: { mode: 'off' },
      },
    },
  ],
  badUrls: [
    'jdbc:postgresql://h/d',
    'jdbc:mysql://h',
    'jdbc:mysql://h:x/d',
    'jdbc:mysql://h:0/d',
    'jdbc:mysql:///d',
    'jdbc:mysql://a,b/d',
    'jdbc:mysql://h:70000/d',
    'nonsense',
    '',
  ],
};

for (const server of mysqlTestServers()) {
  describeDataSource(server.name, {
    type: mysqlDataSource,
    ...URLS,
    open: async () => {
      const world = await openWorld(
        server,
        `CREATE TABLE orders (id int PRIMARY KEY, note text); INSERT INTO orders VALUES (1, 'a'), (2, 'b');
         CREATE TABLE by_day (ds date, hh char(3) COLLATE utf8mb4_bin) PARTITION BY LIST COLUMNS (ds, hh) (
           PARTITION p1 VALUES IN (('2026-11-01', '05'), ('2026-11-02', 'a''b')),
           PARTITION p2 VALUES IN (('2026-11-03', '05')));
         INSERT INTO by_day VALUES ('2026-11-03', '05');
         CREATE TABLE by_month (ds varchar(8) COLLATE utf8mb4_unicode_ci) PARTITION BY RANGE COLUMNS (ds)
           (PARTITION p11 VALUES LESS THAN ('20261201'));
         INSERT INTO by_month VALUES ('20261101');
         CREATE TABLE by_number (region int) PARTITION BY LIST (region) (PARTITION p VALUES IN (1, 2))`,
      );
      const { raw } = world;
      return {
        config: raw,
        table: 'orders',
        column: 'note',
        partitions: [
          {
            table: 'orders',
            present: ['', 'NOTE=a', 'id=1/note="a"'],
            gone: ['note=c', 'id=1/note=b'],
          },
          {
            table: 'by_day',
            present: [
              'hh=05/ds=20261101',
              'ds=2026-11-02/hh="a\'b"',
              'ds=20261103',
              'ds=2026-11-03',
            ],
            gone: ['ds=20261101', 'ds=20261101/hh=06'],
          },
          { table: 'by_month', present: ['ds=20261101'], gone: ['ds=20261102', 'ds=202611010'] },
          { table: 'by_number', present: ['region=1', 'region=2'], gone: ['region=3'] },
          { table: 'no_such_table', present: [], gone: ['ds=20261101', ''] },
        ],
        broken: [
          {
            name: 'unknown host',
            config: { ...raw, host: 'no-such-host.invalid' },
            step: 'dns',
            code: 'MR-D101',
          },
          { name: 'closed port', config: { ...raw, port: 1 }, step: 'tcp', code: 'MR-D102' },
          {
            name: 'no trusted certificate',
            config: { ...raw, tls: { mode: 'verify' } },
            step: 'tls',
            code: 'MR-D103',
          },
          {
            name: 'wrong password',
            config: { ...raw, password: 'wr0ng' },
            step: 'login',
            code: 'MR-D104',
          },
          {
            name: 'wrong password without TLS',
            config: { ...raw, password: 'wr0ng', tls: { mode: 'off' } },
            step: 'login',
            code: 'MR-D104',
          },
          {
            name: 'missing database',
            config: { ...raw, user: server.user, password: server.password, database: 'nope' },
            step: 'login',
            code: 'MR-D105',
          },
          {
            name: "another user's database",
            config: { ...raw, database: 'mysql' },
            step: 'login',
            code: 'MR-D106',
          },
        ],
        [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
      };
    },
  });

  // A fresh user's first login without TLS is the one that needs the server's public key.
  describeDataSource(`${server.name} over plain TCP`, {
    type: mysqlDataSource,
    ...URLS,
    open: async () => {
      const world = await openWorld(server, 'CREATE TABLE ODPS_RESULT (id int)');
      return {
        config: { ...world.raw, tls: { mode: 'off' } },
        table: 'ODPS_RESULT',
        column: 'id',
        broken: [],
        [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
      };
    },
  });

  describeReader(server.name, {
    reader: mysqlReader,
    open: async () => {
      const rows: Row[] = [
        [null, null, null, null, null],
        [null, '\\N', '0000-00-00 00:00:00.0+00', Buffer.alloc(0), '0'],
      ];
      for (let n = -150; n <= 9000; n += 30) {
        const bit = n % 60 === 0 ? '1' : '0';
        rows.push([
          `${n}`,
          `tab\there\n${n}`,
          '2024-03-01 10:00:00.5+00',
          Buffer.from([0, 255]),
          bit,
        ]);
      }
      const values = rows.slice(2).map(([n]) => `(${String(n)})`);
      const world = await openWorld(
        server,
        `SET time_zone = '+02:00', sql_mode = '';
         CREATE TABLE events (id bigint, Note text, at timestamp(1) NULL, raw varbinary(9), ok bit(1));
         INSERT INTO events (id) VALUES ${values.join(',')};
         UPDATE events SET Note = CONCAT('tab\\there\\n', id), at = '2024-03-01 12:00:00.5', raw = x'00ff', ok = (id % 60 = 0);
         INSERT INTO events VALUES (NULL, NULL, NULL, NULL, NULL), (NULL, '\\\\N', '0000-00-00 00:00:00', '', 0)`,
      );
      return {
        dataSource: world.dataSource,
        config: { table: 'EVENTS', sliceKey: 'ID', where: 'id < 100000 OR id IS NULL -- all' },
        rows,
        missing: { config: { table: 'evnets' }, code: 'MR-D107' },
        endless: { query: 'SELECT a.id, SLEEP(0.01) AS s FROM events AS a, events AS b' },
        change: async () => void (await world.sql('INSERT INTO events (id) VALUES (7)')),
        leftovers: world.leftovers,
        [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
      };
    },
  });

  describeWriter(server.name, {
    writer: mysqlWriter,
    open: async () => {
      const parents = Array.from({ length: 101 }, (_, i) => `(${i})`);
      const world = await openWorld(
        server,
        `CREATE TABLE parent (id bigint PRIMARY KEY); INSERT INTO parent VALUES ${parents.join(',')};
         CREATE TABLE RESULT (ds varchar(8) NOT NULL DEFAULT '20240301', id bigint PRIMARY KEY, name varchar(12),
           amount decimal(8,2) CHECK (amount < 1000), at datetime(6), raw varbinary(9), flag tinyint(1), tag enum('a','b'),
           twice bigint GENERATED ALWAYS AS (amount * 2) STORED, made timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
           FOREIGN KEY (id) REFERENCES parent (id));
         INSERT INTO RESULT (ds, id, name) VALUES ('20240229', 99, 'kept')`,
      );
      const rows: Row[] = Array.from({ length: 40 }, (_, i) => [
        `${i}`,
        i % 5 === 0 ? null : `n\t\\'\0${i}`,
        `${i}.25`,
        '2024-03-01 10:00:00.123456+00',
        Buffer.from([i, 0, 92]),
        i % 2 === 0 ? 'true' : 'false',
        'b',
      ]);
      const bad = (cells: Readonly<Record<number, Row[number]>>, id: string): Row =>
        [id, 'x', '1.00', null, null, null, null].map((cell, i) => cells[i] ?? cell);
      return {
        dataSource: world.dataSource,
        source: SOURCE,
        mapping: MAPPING,
        replace: {
          table: 'result',
          mode: 'partition-overwrite',
          replace: { kind: 'partition', values: { DS: '20240301' } },
        },
        append: { table: 'RESULT', mode: 'append' },
        rows,
        others: [['99', 'kept', null, null, null, null, null]],
        dirty: [
          bad({ 1: 'longer than twelve' }, '50'),
          bad({ 2: '1.005' }, '51'),
          bad({ 2: '1000.00' }, '52'),
          bad({ 6: '2' }, '53'),
          bad({ 1: 'half \ud83d' }, '54'),
          bad({}, '99'),
          bad({ 3: '2024-03-01 10:00:00.000000+00', 5: 'true' }, '12345'),
          bad({ 3: '2024-02-30 00:00:00+00' }, '55'),
        ],
        missing: { config: { table: 'reslut', mode: 'append' }, code: 'MR-D107' },
        read: async () => {
          const found = await world.sql(
            `SELECT CONCAT(id) AS id, name, CONCAT(amount) AS amount, CONCAT(at, '+00') AS at, raw,
                    IF(flag IS NULL, NULL, IF(flag, 'true', 'false')) AS flag, tag FROM RESULT`,
          );
          return found.map((r) => SOURCE.columns.map((c) => r[c.name] as Row[number]));
        },
        leftovers: world.leftovers,
        ledger: world.ledger,
        [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
      };
    },
  });

  describeWriter(`${server.name} that replaces by a renamed table`, {
    writer: mysqlWriter,
    open: async () => {
      const world = await openWorld(
        server,
        'CREATE TABLE result (id bigint PRIMARY KEY, name varchar(12))',
      );
      const columns = SOURCE.columns.slice(0, 2);
      const rows: Row[] = Array.from({ length: 40 }, (_, i) => [`${i}`, `n\t\\${i}`]);
      return {
        dataSource: world.dataSource,
        source: { ...SOURCE, columns },
        mapping: { columns: columns.map((source) => ({ source, target: source.name })) },
        replace: { table: 'result', mode: 'replace-swap' },
        append: { table: 'result', mode: 'append' },
        rows,
        others: [],
        dirty: [
          ['50', 'longer than twelve'],
          ['51', 'half \ud83d'],
          [null, 'no key'],
        ],
        missing: { config: { table: 'reslut', mode: 'replace-swap' }, code: 'MR-D107' },
        read: async () =>
          (await world.sql('SELECT id, name FROM result')).map((r) => [
            String(r['id']),
            String(r['name']),
          ]),
        leftovers: world.leftovers,
        ledger: world.ledger,
        [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
      };
    },
  });

  describeNode(`mysql-sql on ${server.name}`, {
    node: mysqlSqlNode,
    crashPoints: {
      before: ['sql:before-ledger', 'sql:before-commit'],
      after: ['sql:after-commit'],
    },
    open: async () => {
      const world = await openWorld(
        server,
        'CREATE TABLE counter (n int); INSERT INTO counter VALUES (0)',
      );
      const of = (sql: string) => ({ dataSource: 'my', sql });
      return {
        dataSources: [world.dataSource],
        config: of(
          'UPDATE counter SET n = n + 1; -- a note; with a semicolon\nSELECT n FROM counter',
        ),
        effect: async () => Number((await world.sql('SELECT n FROM counter'))[0]?.['n']),
        failing: [
          { config: of('UPDATE counter SET n = 9; SELEKT 1'), code: 'MR-D204' },
          {
            config: of('UPDATE counter SET n = 9; INSERT INTO cuonter VALUES (1)'),
            code: 'MR-D107',
          },
          { config: of('UPDATE counter SET m = 9'), code: 'MR-D108' },
          { config: of('UPDATE counter SET n = 9; COMMIT; SELECT 1'), code: 'MR-D204' },
          { config: of('UPDATE counter SET n = 9; SELECT * FROM mysql.user'), code: 'MR-D106' },
          {
            config: of("LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE counter"),
            code: 'MR-D204',
          },
        ],
        endless: of('UPDATE counter SET n = 5; SELECT SLEEP(600)'),
        isAtWork: async () => (await world.leftovers()).includes('Query User sleep'),
        leftovers: world.leftovers,
        ledger: world.ledger,
        [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
      };
    },
  });
}
