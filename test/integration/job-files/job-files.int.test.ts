import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import filePlugin from '../../../plugins/file/src/index.js';
import mysqlPlugin from '../../../plugins/mysql/src/index.js';
import postgresPlugin from '../../../plugins/postgres/src/index.js';
import { exportJob } from '../../../src/domain/job-file/export-job.js';
import { importJob } from '../../../src/domain/job-file/import-job.js';
import { JOB_DIALECTS } from '../../../src/domain/job-file/job-shape.js';
import { parseConfig, substituteTemplates } from '../../../src/plugin-host/config-fields.js';
import { ownConfigOf, syncSchema } from '../../../src/plugin-host/sync-config.js';
import { createDatabase, execute, type TestDatabase, testServers } from '../../support/servers.js';
import { runSync, type SyncEnd, type SyncRun } from '../../support/sync.js';

const FOLDER = join(import.meta.dirname, 'jobs');
const FILES = readdirSync(FOLDER).toSorted();
const PLUGINS = { file: filePlugin, mysql: mysqlPlugin, postgres: postgresPlugin };
type Kind = keyof typeof PLUGINS;

const text = (file: string): string => readFileSync(join(FOLDER, file), 'utf8');

const COLUMNS = `id bigint PRIMARY KEY, order_no varchar(32), user_id bigint, amount decimal(18,2), status smallint,
  gmt_create STAMP, gmt_modified STAMP, src varchar(64), ds varchar(32)`;

/** Ten orders, six of the business date; on PostgreSQL and MySQL the same. */
function script(kind: 'mysql' | 'postgres'): string {
  const stamp = kind === 'mysql' ? 'datetime(6)' : 'timestamp';
  const orders = Array.from({ length: 10 }, (_, i) => {
    const id = i + 1;
    const ds = id <= 6 ? '20260301' : '20260228';
    const created = `2026-03-0${(i % 9) + 1} 10:00:00.00000${i}`;
    return `(${id}, 'A-${String(id).padStart(4, '0')}', ${(i % 3) + 1}, ${id}.25, ${i % 2}, '${created}', '${created}', NULL, '${ds}')`;
  });
  const shards = [0, 1, 2, 3].map(
    (no) =>
      `CREATE TABLE t_order_${no} (id bigint PRIMARY KEY, order_no varchar(32)); INSERT INTO t_order_${no} VALUES (${no + 1}, 'n${no}'), (${no + 100}, 'x')`,
  );
  return [
    `CREATE TABLE orders (${COLUMNS.replaceAll('STAMP', stamp)})`,
    `CREATE TABLE ods_orders (${COLUMNS.replaceAll('STAMP', stamp)})`,
    'CREATE TABLE customers (id bigint PRIMARY KEY, name varchar(32))',
    `INSERT INTO orders VALUES ${orders.join(',')}`,
    "INSERT INTO customers VALUES (1, 'ann'), (2, 'ben'), (3, 'cyd')",
    ...shards,
  ].join(';\n');
}

describe('job files of DataWorks and DataX', () => {
  test('there are 20 of them', () => {
    expect(FILES).toHaveLength(20);
  });

  test.each(FILES)('%s becomes a sync node, and everything else of it is named', (file) => {
    const { config, notes, dataSources } = importJob(text(file));
    expect({
      config,
      dataSources,
      notes: notes.map((n) => `${n.level} ${n.path}: ${n.detail}`),
    }).toMatchSnapshot();
    expect(JSON.stringify(config)).not.toMatch(/hush|password/);
  });

  test.each(FILES)('%s comes back the same from an export in every dialect', (file) => {
    const { config, dataSources } = importJob(text(file));
    const types = { source: dataSources.source.type, target: dataSources.target.type };
    for (const dialect of JOB_DIALECTS) {
      const exported = exportJob(config, types, dialect);
      expect(importJob(exported.text).config).toEqual(config);
    }
  });
});

describe('a job file with other connections', () => {
  let mysql: TestDatabase;
  let postgres: TestDatabase;
  let root: string;

  beforeAll(async () => {
    const servers = testServers();
    const database = servers.mariadb ?? servers.mysql97;
    if (database === undefined) throw new Error('neither MariaDB nor MySQL is there');
    mysql = await createDatabase(database);
    postgres = await createDatabase(servers.postgres);
    await execute(mysql.server, script('mysql'), mysql.name);
    await execute(postgres.server, script('postgres'), postgres.name);
    root = mkdtempSync(join(tmpdir(), 'millrace-jobs-'));
    writeFileSync(
      join(root, 'orders.txt'),
      '1\tA"1\t1.5\t2026/03/01 10:30\n2\t\\N\t2.5\t2026/03/02 00:00\n',
    );
    writeFileSync(
      join(root, 'orders.csv'),
      String.raw`order id,number,sum|1,A"1,1.50|2,'A,\'2',|`.replaceAll('|', '\n'),
    );
  });
  afterAll(async () => {
    await mysql[Symbol.asyncDispose]();
    await postgres[Symbol.asyncDispose]();
    rmSync(root, { recursive: true, force: true });
  });

  const endOf = (kind: Kind): SyncEnd => {
    if (kind === 'file') return { kind, root };
    const { server, name } = kind === 'mysql' ? mysql : postgres;
    return { kind, server, database: name };
  };

  /** As a worker does it: the node's schema, parameters in their places, the real plugins. */
  async function run(file: string): Promise<SyncRun> {
    const { config, dataSources } = importJob(text(file));
    const [from, to] = [dataSources.source.type as Kind, dataSources.target.type as Kind];
    const [reader] = PLUGINS[from].readers ?? [];
    const [writer] = PLUGINS[to].writers ?? [];
    if (reader === undefined || writer === undefined) throw new Error(`${from} to ${to}`);
    if (to !== 'file') await execute(testServerOf(to), 'DELETE FROM ods_orders', databaseOf(to));
    const schema = syncSchema(reader, writer);
    const replaced = substituteTemplates(config, schema, (code) =>
      code.replaceAll('${bizdate}', '20260301'),
    );
    const node = await parseConfig(schema, replaced, file);
    return await runSync({
      from: endOf(from),
      to: endOf(to),
      reader: ownConfigOf(node.source),
      writer: ownConfigOf(node.target),
      mapping: node.mapping,
      channel: node.channel,
      identity: { nodeId: file },
    });
  }

  const testServerOf = (kind: 'mysql' | 'postgres') => (kind === 'mysql' ? mysql : postgres).server;
  const databaseOf = (kind: 'mysql' | 'postgres') => (kind === 'mysql' ? mysql : postgres).name;

  async function rowsOf(kind: 'mysql' | 'postgres', columns: string): Promise<readonly string[]> {
    const list = columns.split(' ').map((column) => `coalesce(cast(${column} as char(40)), '-')`);
    const sql = `SELECT concat_ws('|', ${list.map((c) => `trim(${c})`).join(', ')}) AS line FROM ods_orders ORDER BY id`;
    const rows = await execute(testServerOf(kind), sql, databaseOf(kind));
    return rows.map((row) => String(row['line']));
  }

  const day = [1, 2, 3, 4, 5, 6];
  const all = [...day, 7, 8, 9, 10];
  const no = (id: number): string => `A-${String(id).padStart(4, '0')}`;

  test.each<[string, 'mysql' | 'postgres', string, readonly string[]]>([
    [
      '01-dataworks2-mysql-pg.json',
      'postgres',
      'id order_no amount',
      day.map((id) => `${id}|${no(id)}|${id}.25`),
    ],
    [
      '02-dataworks2-pg-mysql.json',
      'mysql',
      'id order_no amount',
      all.map((id) => `${id}|${no(id)}|${id}.25`),
    ],
    [
      '03-dataworks2-expressions.json',
      'mysql',
      'id src order_no amount user_id status ds',
      [4, 5, 6].map((id) => `${id}|mysql|${no(id)}|${id * 2}.50|-|7|2026030${id}`),
    ],
    [
      '04-dataworks2-querysql.json',
      'postgres',
      'id order_no src',
      day.map((id) => `${id}|${no(id)}|${['ann', 'ben', 'cyd'][(id - 1) % 3]}`),
    ],
    ['05-dataworks1-mysql-pg.json', 'postgres', 'id amount', all.map((id) => `${id}|${id}.25`)],
    ['06-dataworks1-pg-mysql.json', 'mysql', 'id src', ['1|ann', '2|ben', '3|cyd']],
    [
      '07-datax-mysql-pg.json',
      'postgres',
      'id order_no amount',
      all.map((id) => `${id}|${no(id)}|${id}.25`),
    ],
    [
      '08-datax-pg-mysql-bytes.json',
      'mysql',
      'id status src',
      [2, 4, 6, 8, 10].map((id) => `${id}|1|pg`),
    ],
    [
      '09-datax-shards.json',
      'postgres',
      'id order_no src',
      [1, 2, 3, 4].map((id) => `${id}|n${id - 1}|s${id}`),
    ],
    [
      '10-datax-csv-pg.json',
      'postgres',
      'id order_no gmt_create src amount',
      ['1|A"1|2026-03-01 10:30:00|csv|1.50', '2|-|2026-03-02 00:00:00|csv|2.50'],
    ],
    ['11-datax-csv-header-mysql.json', 'mysql', 'id order_no amount', ['1|A"1|1.50', "2|A,'2|-"]],
    [
      '14-datax-transformers.json',
      'postgres',
      'id order_no status',
      [1, 2, 3, 4].map((id) => `${id}|**A-0#|${(id - 1) % 2}`),
    ],
    [
      '15-datax-pg-pg-postsql.json',
      'postgres',
      'id order_no',
      [2, 4, 6, 8, 10].map((id) => `${id}|${no(id)}`),
    ],
    ['20-dataworks2-wizard.json', 'mysql', 'id ds', day.map((id) => `${id}|20260301`)],
  ])('%s runs', async (file, kind, columns, rows) => {
    expect(await run(file)).toMatchObject({ rowsDirty: 0 });
    expect(await rowsOf(kind, columns)).toEqual(rows);
  });

  test('12-datax-mysql-csv.json runs', async () => {
    await run('12-datax-mysql-csv.json');
    const lines = readFileSync(join(root, 'orders_20260301.csv'), 'utf8').trim().split('\n');
    expect(lines.slice(0, 2)).toEqual([
      'order_id;order_no;amount;created',
      '1;A-0001;1.25;2026-03-01 10:00:00.000000',
    ]);
    expect(lines).toHaveLength(7);
  });

  test('13-datax-pg-csv-gz.json runs', async () => {
    await run('13-datax-pg-csv-gz.json');
    const path = join(root, 'customers.csv.gz');
    expect(existsSync(path)).toBe(true);
    expect(gunzipSync(readFileSync(path)).toString().trim().split('\n')).toEqual([
      '1\tann',
      '2\tben',
      '3\tcyd',
    ]);
  });

  test('an expression that is called like a column is refused', async () => {
    const reader = { table: 'orders', expressions: [{ name: 'id', sql: '1' }] };
    for (const kind of ['mysql', 'postgres'] as const) {
      const run = runSync({
        from: endOf(kind),
        to: endOf('file'),
        reader,
        writer: { path: 'x.csv' },
      });
      await expect(run).rejects.toMatchObject({ code: 'MR-D208' });
    }
  });
});
