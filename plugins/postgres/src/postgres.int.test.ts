import type { Column, Mapping, Row, TableSchema } from '@millrace/sdk';
import {
  describeDataSource,
  describeNode,
  describeReader,
  describeWriter,
} from '@millrace/testkit';
import plugin from './index.js';
import { logicalTypeOf } from './column-type.js';
import { postgresReader } from './reader.js';
import { postgresSqlNode } from './sql-node.js';
import { openWorld } from './testing/world.js';
import { postgresWriter } from './writer.js';

describeDataSource('postgres', {
  type: (plugin.dataSources ?? [])[0] as NonNullable<typeof plugin.dataSources>[number],
  urls: [
    {
      url: 'jdbc:postgresql://db.example.com:6432/shop?user=u&password=p%26&sslmode=verify-full&currentSchema=s',
      expected: {
        host: 'db.example.com',
        port: 6432,
        database: 'shop',
        user: 'u',
        password: 'p&',
        tls: { mode: 'verify' },
        schema: 's',
      },
    },
    { url: 'jdbc:postgresql://h/d', expected: { host: 'h', port: 5432, database: 'd' } },
    { url: 'jdbc:postgresql://[::1]:80/d', expected: { host: '::1', port: 80, database: 'd' } },
  ],
  badUrls: ['jdbc:mysql://h/d', 'jdbc:postgresql://h', 'jdbc:postgresql://h:x/d', 'nonsense'],
  open: async () => {
    const world = await openWorld(
      `CREATE TABLE orders (id int PRIMARY KEY, note text); INSERT INTO orders VALUES (1, 'a'), (2, 'b');
       CREATE TABLE "By Day" (ds date, hh char(2)) PARTITION BY LIST (ds);
       CREATE TABLE d1 PARTITION OF "By Day" FOR VALUES IN ('2026-11-01', '2026-11-02');
       CREATE TABLE d3 PARTITION OF "By Day" FOR VALUES IN ('2026-11-03');
       CREATE TABLE others PARTITION OF "By Day" DEFAULT;
       INSERT INTO "By Day" VALUES ('2026-11-03', '05'), ('2026-11-09', '05');
       CREATE TABLE by_month (ds varchar(8)) PARTITION BY RANGE (ds);
       CREATE TABLE november PARTITION OF by_month FOR VALUES FROM ('20261101') TO ('20261201');
       INSERT INTO by_month VALUES ('20261101');
       CREATE SCHEMA other; CREATE TABLE other.plain (ds int); INSERT INTO other.plain VALUES (20261101)`,
    );
    const role = `reader_${Math.random().toString(36).slice(2)}`;
    await world.sql(
      `CREATE ROLE ${role} LOGIN PASSWORD 'reader-secret'; REVOKE ALL ON SCHEMA public FROM PUBLIC`,
    );
    const { raw } = world;
    return {
      config: raw,
      table: 'orders',
      column: 'note',
      partitions: [
        {
          table: 'orders',
          present: ['', 'NOTE=a', "id=1/note='a'"],
          gone: ['note=c', 'id=1/note=b'],
        },
        {
          table: 'By Day',
          present: ['ds=20261101', 'ds=2026-11-02', 'ds=20261109', 'ds=20261103,hh=05'],
          gone: ['ds=20261104', 'ds=20261101/hh=05'],
        },
        { table: 'by_month', present: ['ds=20261101'], gone: ['ds=20261102', 'ds=202611010'] },
        { table: 'other.plain', present: ['ds=20261101'], gone: ['ds=20261102'] },
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
          name: 'no TLS there',
          config: { ...raw, tls: { mode: 'require' } },
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
          name: 'missing database',
          config: { ...raw, database: 'nope' },
          step: 'login',
          code: 'MR-D105',
        },
        {
          name: 'no right on the schema',
          config: { ...raw, user: role, password: 'reader-secret' },
          step: 'privileges',
          code: 'MR-D106',
        },
        {
          name: 'missing schema',
          config: { ...raw, schema: 'nope' },
          step: 'privileges',
          code: 'MR-D107',
        },
      ],
      [Symbol.asyncDispose]: async () => {
        await world.sql(`DROP ROLE ${role}`);
        await world[Symbol.asyncDispose]();
      },
    };
  },
});

describeReader('postgres', {
  reader: postgresReader,
  open: async () => {
    const world = await openWorld(
      `CREATE TABLE events (id bigint, "Note" text, at timestamptz, raw bytea, ok boolean);
       INSERT INTO events SELECT n, E'tab\\there\\n' || n, '2024-03-01 12:00:00.5+02', '\\x00ff', n % 2 = 0
         FROM generate_series(-150, 9000, 30) AS n;
       INSERT INTO events VALUES (NULL, NULL, NULL, NULL, NULL), (NULL, '\\N', 'infinity', '', true)`,
    );
    const rows: Row[] = [
      [null, null, null, null, null],
      [null, '\\N', 'infinity', Buffer.alloc(0), 'true'],
    ];
    for (let n = -150; n <= 9000; n += 30) {
      rows.push([
        `${n}`,
        `tab\there\n${n}`,
        '2024-03-01 10:00:00.5+00',
        Buffer.from([0, 255]),
        n % 2 === 0 ? 'true' : 'false',
      ]);
    }
    return {
      dataSource: world.dataSource,
      config: { table: 'EVENTS', sliceKey: 'id', where: 'id < 100000 OR id IS NULL -- all' },
      rows,
      missing: { config: { table: 'evnets' }, code: 'MR-D107' },
      endless: { query: 'SELECT pg_sleep(0.01)::text AS s FROM generate_series(1, 100000)' },
      change: async () => void (await world.sql(`INSERT INTO events VALUES (7, 'late')`)),
      leftovers: world.leftovers,
      [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
    };
  },
});

const column = (name: string, nativeType: string): Column => ({
  name,
  nativeType,
  type: logicalTypeOf(nativeType),
  nullable: true,
});

const SOURCE: TableSchema = {
  table: 'source',
  primaryKey: [],
  columns: [
    column('id', 'bigint'),
    column('name', 'text'),
    column('amount', 'numeric'),
    column('at', 'timestamp with time zone'),
    column('raw', 'bytea'),
    column('flag', 'boolean'),
    column('tags', 'text[]'),
  ],
};
const MAPPING: Mapping = {
  columns: SOURCE.columns.map((source) => ({ source, target: source.name.toUpperCase() })),
};

describeWriter('postgres', {
  writer: postgresWriter,
  open: async () => {
    const world = await openWorld(
      `CREATE TABLE parent (id bigint PRIMARY KEY);
       INSERT INTO parent SELECT generate_series(0, 100);
       CREATE TABLE result (ds text NOT NULL DEFAULT '20240301', id bigint PRIMARY KEY REFERENCES parent, name varchar(12),
         amount numeric(8,2) CHECK (amount < 1000), at timestamptz, raw bytea, flag boolean, tags text[],
         twice bigint GENERATED ALWAYS AS (id * 2) STORED, made timestamptz NOT NULL DEFAULT now());
       INSERT INTO result (ds, id, name) VALUES ('20240229', 99, 'kept')`,
    );
    const rows: Row[] = Array.from({ length: 40 }, (_, i) => [
      `${i}`,
      i % 5 === 0 ? null : `n\t\\${i}`,
      `${i}.25`,
      '2024-03-01 10:00:00.123456+00',
      Buffer.from([i, 0, 92]),
      i % 2 === 0 ? 'true' : 'false',
      `{a,"b ${i}"}`,
    ]);
    const bad = (cells: Readonly<Record<number, Row[number]>>, id: string): Row =>
      [id, 'x', '1.00', null, null, null, null].map((cell, i) => cells[i] ?? cell);
    return {
      dataSource: world.dataSource,
      source: SOURCE,
      mapping: MAPPING,
      replace: {
        table: 'RESULT',
        mode: 'partition-overwrite',
        replace: { kind: 'partition', values: { ds: '20240301' } },
      },
      append: {
        table: 'result',
        mode: 'append',
      },
      rows,
      others: [['99', 'kept', null, null, null, null, null]],
      dirty: [
        bad({ 1: 'longer than twelve' }, '50'),
        bad({ 2: '1.005' }, '51'),
        bad({ 2: '1000' }, '52'),
        bad({ 6: '{not closed' }, '53'),
        bad({ 1: 'nul\0' }, '54'),
        bad({}, '99'),
        bad({}, '12345'),
        bad({ 3: '2024-02-30 00:00:00+00' }, '55'),
      ],
      missing: { config: { table: 'reslut', mode: 'append' }, code: 'MR-D107' },
      read: async () => {
        const found = await world.sql(
          `SELECT id::text, name, amount::text, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00' AS at,
                  raw, CASE WHEN flag THEN 'true' ELSE 'false' END AS flag, flag IS NULL AS no_flag, tags::text
             FROM result`,
        );
        return found.map((r) => [
          r['id'],
          r['name'],
          r['amount'],
          r['at'],
          r['raw'],
          r['no_flag'] === true ? null : r['flag'],
          r['tags'],
        ]) as Row[];
      },
      leftovers: world.leftovers,
      ledger: world.ledger,
      [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
    };
  },
});

describeNode('postgres-sql', {
  node: postgresSqlNode,
  crashPoints: { before: ['sql:before-commit'], after: ['sql:after-commit'] },
  open: async () => {
    const world = await openWorld('CREATE TABLE counter (n int); INSERT INTO counter VALUES (0)');
    const of = (sql: string) => ({ dataSource: 'pg', sql });
    return {
      dataSources: [world.dataSource],
      config: of(
        `DO $$ BEGIN RAISE NOTICE 'hello; world'; END $$; -- a note
         UPDATE counter SET n = n + 1; SELECT * FROM generate_series(1, 100000)`,
      ),
      effect: async () => Number((await world.sql('SELECT n FROM counter'))[0]?.['n']),
      failing: [
        { config: of('UPDATE counter SET n = 9; SELEKT 1'), code: 'MR-D204' },
        { config: of('UPDATE counter SET n = 9; INSERT INTO cuonter VALUES (1)'), code: 'MR-D107' },
        { config: of('UPDATE counter SET m = 9'), code: 'MR-D108' },
        { config: of('UPDATE counter SET n = 9; COMMIT; SELECT 1'), code: 'MR-D204' },
        { config: of('UPDATE counter SET n = 9; VACUUM counter'), code: 'MR-D204' },
        { config: of('UPDATE counter SET n = 1/0'), code: 'MR-D204' },
        { config: of('COPY counter FROM STDIN'), code: 'MR-D204' },
      ],
      endless: of('UPDATE counter SET n = 5; SELECT pg_sleep(600)'),
      isAtWork: async () => (await world.leftovers()).some((what) => what.includes('pg_sleep')),
      leftovers: world.leftovers,
      ledger: world.ledger,
      [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
    };
  },
});
