import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exportJob } from '../../../src/domain/job-file/export-job.js';
import { importJob } from '../../../src/domain/job-file/import-job.js';
import { JOB_DIALECTS } from '../../../src/domain/job-file/job-shape.js';
import { createDatabase, execute, type TestDatabase, testServers } from '../../support/servers.js';
import { runSync } from '../../support/sync.js';
import { CommandLine, type Ended } from '../cli/command-line.js';
import { World } from '../worker/world.js';

const FOLDER = join(import.meta.dirname, 'jobs');
const FILES = readdirSync(FOLDER).toSorted();
type Kind = 'mysql' | 'postgres';
/** Two servers in one job, which a sync does not read. */
const TWO_SERVERS = '18-datax-mysql-replace.json';
/** Of systems that nothing here reads or writes. */
const OTHER_SYSTEMS = [
  '16-dataworks2-mysql-odps.json',
  '17-dataworks2-oracle-mysql.json',
  '19-datax-mysql-hdfs.json',
];
const IMPORTED = FILES.filter((file) => file !== TWO_SERVERS);

const text = (file: string): string => readFileSync(join(FOLDER, file), 'utf8');

const COLUMNS = `id bigint PRIMARY KEY, order_no varchar(32), user_id bigint, amount decimal(18,2), status smallint,
  gmt_create STAMP, gmt_modified STAMP, src varchar(64), ds varchar(32)`;

/** Ten orders, six of the business date; on PostgreSQL and MySQL the same. */
function script(kind: Kind): string {
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
  test.each(IMPORTED)('%s becomes a sync node, and everything else of it is named', (file) => {
    const { config, notes, dataSources } = importJob(text(file));
    expect({
      config,
      dataSources,
      notes: notes.map((n) => `${n.level} ${n.path}: ${n.detail}`),
    }).toMatchSnapshot();
    expect(JSON.stringify(config)).not.toMatch(/hush|password/);
  });

  test.each(IMPORTED)('%s comes back the same from an export in every dialect', (file) => {
    const { config, dataSources } = importJob(text(file));
    const types = { source: dataSources.source.type, target: dataSources.target.type };
    for (const dialect of JOB_DIALECTS) {
      const exported = exportJob(config, types, dialect);
      expect(importJob(exported.text).config).toEqual(config);
    }
  });
});

interface Expected {
  readonly file: string;
  readonly to: Kind;
  readonly columns: string;
  readonly rows: readonly string[];
  readonly words?: readonly string[];
}

const day = [1, 2, 3, 4, 5, 6];
const all = [...day, 7, 8, 9, 10];
const no = (id: number): string => `A-${String(id).padStart(4, '0')}`;
const shards = [1, 2, 3, 4];

const RUNS: readonly Expected[] = [
  {
    file: '01-dataworks2-mysql-pg.json',
    to: 'postgres',
    columns: 'id order_no amount',
    rows: day.map((id) => `${id}|${no(id)}|${id}.25`),
  },
  {
    file: '02-dataworks2-pg-mysql.json',
    to: 'mysql',
    columns: 'id order_no amount',
    rows: all.map((id) => `${id}|${no(id)}|${id}.25`),
  },
  {
    file: '03-dataworks2-expressions.json',
    to: 'mysql',
    columns: 'id src order_no amount user_id status ds',
    rows: [4, 5, 6].map((id) => `${id}|mysql|${no(id)}|${id * 2}.50|-|7|2026030${id}`),
  },
  {
    file: '04-dataworks2-querysql.json',
    to: 'postgres',
    columns: 'id order_no src',
    rows: day.map((id) => `${id}|${no(id)}|${['ann', 'ben', 'cyd'][(id - 1) % 3]}`),
  },
  {
    file: '05-dataworks1-mysql-pg.json',
    to: 'postgres',
    columns: 'id amount',
    rows: all.map((id) => `${id}|${id}.25`),
  },
  {
    file: '06-dataworks1-pg-mysql.json',
    to: 'mysql',
    columns: 'id src',
    rows: ['1|ann', '2|ben', '3|cyd'],
  },
  {
    file: '07-datax-mysql-pg.json',
    to: 'postgres',
    columns: 'id order_no amount',
    rows: all.map((id) => `${id}|${no(id)}|${id}.25`),
  },
  {
    file: '08-datax-pg-mysql-bytes.json',
    to: 'mysql',
    columns: 'id status src',
    rows: [2, 4, 6, 8, 10].map((id) => `${id}|1|pg`),
  },
  {
    file: '09-datax-shards.json',
    to: 'postgres',
    columns: 'id order_no src',
    rows: shards.map((id) => `${id}|n${id - 1}|s${id}`),
  },
  {
    file: '10-datax-csv-pg.json',
    to: 'postgres',
    columns: 'id order_no gmt_create src amount',
    rows: ['1|A"1|2026-03-01 10:30:00|csv|1.50', '2|-|2026-03-02 00:00:00|csv|2.50'],
  },
  {
    file: '11-datax-csv-header-mysql.json',
    to: 'mysql',
    columns: 'id order_no amount',
    rows: ['1|A"1|1.50', "2|A,'2|-"],
  },
  {
    file: '14-datax-transformers.json',
    to: 'postgres',
    columns: 'id order_no status',
    rows: shards.map((id) => `${id}|**A-0#|${(id - 1) % 2}`),
  },
  {
    file: '15-datax-pg-pg-postsql.json',
    to: 'postgres',
    columns: 'id order_no',
    rows: [2, 4, 6, 8, 10].map((id) => `${id}|${no(id)}`),
  },
  {
    file: '20-dataworks2-wizard.json',
    to: 'mysql',
    columns: 'id ds',
    rows: day.map((id) => `${id}|20260301`),
  },
  {
    file: '21-datax-mysql-mysql-session.json',
    to: 'mysql',
    columns: 'id order_no user_id src gmt_create amount status',
    rows: all.map((id) => `${id}|${no(id)}|1|bazaar|-|2.30|1`),
  },
  {
    file: '22-datax-databases.json',
    to: 'postgres',
    columns: 'id order_no',
    rows: ['1|0-0', '2|0-1', '11|1-0', '12|1-1'],
  },
  {
    file: '23-datax-pg-tables.json',
    to: 'mysql',
    columns: 'id order_no',
    rows: shards.map((id) => `${id}|n${id - 1}`),
  },
  {
    file: '25-dataworks2-shards.json',
    to: 'mysql',
    columns: 'id order_no src',
    rows: [...shards.map((id) => `${id}|n${id - 1}|x`), ...shards.map((id) => `${id + 99}|x|x`)],
  },
  {
    file: '26-dataworks1-mysql-update.json',
    to: 'mysql',
    columns: 'id order_no src ds',
    rows: day.map((id) => `${id}|${no(id)}|${id === 1 ? 'kept' : '-'}|20260301`),
  },
  {
    file: '27-dataworks2-copy.json',
    to: 'postgres',
    columns: 'id order_no amount src',
    rows: all.map((id) => `${id}|${no(id)}|${id}.25|${id === 1 ? '20260301' : '-'}`),
  },
  {
    file: '28-datax-pg-update-key.json',
    to: 'postgres',
    columns: 'id order_no status src',
    rows: [
      ...all.map((id) => `${id}|${no(id)}|${(id - 1) % 2}|${id === 1 ? 'kept' : '-'}`),
      '99|other|-|kept',
    ],
  },
  {
    file: '29-datax-parameters.json',
    to: 'postgres',
    columns: 'id order_no',
    rows: [3, 4, 5].map((id) => `${id}|${no(id)}`),
    words: [
      '--param',
      'lastTime=2026-03-03 00:00:00',
      '--param',
      'currentTime=2026-03-06 00:00:00',
    ],
  },
  {
    file: '30-datax-mysql-replace-one.json',
    to: 'mysql',
    columns: 'id order_no src',
    rows: [...all.map((id) => `${id}|${no(id)}|-`), '99|other|kept'],
  },
  {
    file: '31-datax-csv-bizdate.json',
    to: 'mysql',
    columns: 'id order_no ds',
    rows: ['1|订单|20260301', '2|-|20260301'],
  },
];

/** Of those that write files, which are looked at one by one. */
const INTO_FILES = ['12-datax-mysql-csv.json', '13-datax-pg-csv-gz.json', '24-datax-csv-csv.json'];

test('more than 20 of the files run, and each other one is known not to', () => {
  const run = [...RUNS.map(({ file }) => file), ...INTO_FILES].toSorted();
  expect(run.length).toBeGreaterThan(20);
  expect([...run, ...OTHER_SYSTEMS, TWO_SERVERS].toSorted()).toEqual(FILES);
});

/** As a user does it: a process of the command line for each file, and nothing but connections changed. */
describe('a job file with other connections', () => {
  let mysql: TestDatabase;
  let postgres: TestDatabase;
  let others: readonly TestDatabase[];
  let world: World;
  let cli: CommandLine;
  let root: string;

  beforeAll(async () => {
    const servers = testServers();
    const server = servers.mariadb ?? servers.mysql97;
    if (server === undefined) throw new Error('neither MariaDB nor MySQL is there');
    mysql = await createDatabase(server);
    postgres = await createDatabase(servers.postgres);
    others = [await createDatabase(server), await createDatabase(server)];
    await execute(server, script('mysql'), mysql.name);
    await execute(postgres.server, script('postgres'), postgres.name);
    for (const [i, { name }] of others.entries()) await execute(server, otherScript(i), name);
    world = await World.open();
    cli = new CommandLine(world.api);
    root = join(cli.folder, 'files');
    mkdirSync(root);
    writeFileSync(
      join(root, 'orders.txt'),
      '1\tA"1\t1.5\t2026/03/01 10:30\n2\t\\N\t2.5\t2026/03/02 00:00\n',
    );
    writeFileSync(
      join(root, 'orders.csv'),
      String.raw`order id,number,sum|1,A"1,1.50|2,'A,\'2',|`.replaceAll('|', '\n'),
    );
    writeFileSync(join(root, 'data_1.txt'), '19901219,true,3.14,"a,b",2014.12.31\n');
    writeFileSync(join(root, 'data_2.txt'), '2,false,-1.5,c,2015.01.01\n');
    // In GBK, the first with an order in Chinese.
    const order = Buffer.from('1|x|\xb6\xa9\xb5\xa5\n', 'latin1');
    writeFileSync(
      join(root, 'daily_20260301_a.txt'),
      Buffer.concat([Buffer.from('a|b|c\n'), order]),
    );
    writeFileSync(join(root, 'daily_20260301_b.txt'), 'a|b|c\n2|y|NULL\n');
    writeFileSync(join(root, 'daily_20260228_a.txt'), 'a|b|c\n3|z|old\n');
    await world.dataSource('files', 'file', { root });
    await world.dataSource('mysql', 'mysql', accessOf(mysql));
    await world.dataSource('postgres', 'postgres', accessOf(postgres));
    for (const [i, each] of others.entries())
      await world.dataSource(`mysql_${i}`, 'mysql', accessOf(each));
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    cli[Symbol.dispose]();
    for (const each of [mysql, postgres, ...others]) await each[Symbol.asyncDispose]();
  });

  const accessOf = ({ server, name }: TestDatabase): object => {
    const { host, port, user, password } = server;
    return { host, port, user, password, database: name, tls: { mode: 'off' } };
  };

  /** Two orders and two users, one of them in both databases. */
  function otherScript(i: number): string {
    return [
      ...[0, 1].map(
        (t) =>
          `CREATE TABLE order_${t} (id bigint PRIMARY KEY, order_no varchar(32)); INSERT INTO order_${t} VALUES (${i * 10 + t + 1}, '${i}-${t}'), (${1000 + t}, 'x')`,
      ),
      'CREATE TABLE `user` (id bigint PRIMARY KEY, name varchar(32))',
      `INSERT INTO \`user\` VALUES (${i + 1}, 'u${i + 1}'), (9, 'of ${i}')`,
    ].join(';\n');
  }

  async function run(path: string, words: readonly string[] = []): Promise<Ended> {
    const { source, target } = importJob(readFileSync(path, 'utf8')).dataSources;
    const here: Readonly<Record<string, string>> = { file: 'files' };
    const names = new Map([source, target].map(({ name, type }) => [name, here[type] ?? type]));
    const maps = [...names].flatMap(([name, to]) => ['--map', `${name}=${to}`]);
    const at = ['--bizdate', '2026-03-01', '--timeout', '60'];
    return await cli.run(['sync', 'run', path, ...maps, ...at, ...words]);
  }

  async function runs(path: string, words: readonly string[] = []): Promise<void> {
    const { code, talk } = await run(path, words);
    if (code !== 0) throw new Error(talk);
  }

  const databaseOf = (kind: Kind): TestDatabase => (kind === 'mysql' ? mysql : postgres);
  const send = (kind: Kind, sql: string) =>
    execute(databaseOf(kind).server, sql, databaseOf(kind).name);

  async function rowsOf(kind: Kind, columns: string, table = 'ods_orders'): Promise<unknown> {
    const list = columns.split(' ').map((column) => `coalesce(cast(${column} as char(40)), '-')`);
    const line = `concat_ws('|', ${list.map((c) => `trim(${c})`).join(', ')})`;
    const rows = await send(kind, `SELECT ${line} AS line FROM ${table} ORDER BY id`);
    return rows.map((row) => row['line']);
  }

  /** Databases have other names here. */
  function withNames(file: string): string {
    const renamed = others.reduce(
      (job, { name }, i) => job.replaceAll(`/shop_${i}`, `/${name}`),
      text(file),
    );
    return cli.file(file, renamed);
  }

  test('tables of several databases are slices of their own, all of one snapshot', async () => {
    await send('postgres', 'DELETE FROM ods_orders');
    const { out } = await run(withNames('22-datax-databases.json'));
    const names = others.flatMap(({ name }) => [`${name}.order_0`, `${name}.order_1`]);
    const slices = names.map((name) => `${name}: all rows`).join(', ');
    expect(out).toContain(`Slices: 4 over 4 channels: ${slices}\n`);
    expect(out).toContain('all slices are of one snapshot');
  });

  test.each(RUNS)('$file runs', async ({ file, to, columns, rows, words }) => {
    await send(to, 'DELETE FROM ods_orders');
    await runs(withNames(file), words);
    expect(await rowsOf(to, columns)).toEqual(rows);
  });

  test('12-datax-mysql-csv.json runs', async () => {
    await runs(join(FOLDER, '12-datax-mysql-csv.json'));
    const lines = readFileSync(join(root, 'orders_20260301.csv'), 'utf8').trim().split('\n');
    expect(lines.slice(0, 2)).toEqual([
      'order_id;order_no;amount;created',
      '1;A-0001;1.25;2026-03-01 10:00:00.000000',
    ]);
    expect(lines).toHaveLength(7);
  });

  test('13-datax-pg-csv-gz.json runs', async () => {
    await runs(join(FOLDER, '13-datax-pg-csv-gz.json'));
    expect(gunzipSync(readFileSync(join(root, 'customers.csv.gz'))).toString()).toBe(
      '1\tann\n2\tben\n3\tcyd\n',
    );
  });

  test('24-datax-csv-csv.json runs', async () => {
    await runs(join(FOLDER, '24-datax-csv-csv.json'));
    expect(readFileSync(join(root, 'case00'), 'utf8')).toBe(
      '19901219,true,3.14,"a,b",2014-12-31\n2,false,-1.5,c,2015-01-01\n',
    );
  });

  test('18-datax-mysql-replace.json names two servers: it is refused, and one job for each runs', async () => {
    const refused = await cli.run(['sync', 'run', join(FOLDER, TWO_SERVERS)]);
    expect(refused).toMatchObject({
      code: 3,
      talk: expect.stringContaining('$.job.content[0].reader.parameter.connection[1] (line 8'),
    });
    await send('mysql', 'CREATE TABLE users (id bigint PRIMARY KEY, name varchar(32))');
    for (const [i, other] of others.entries()) {
      const job = JSON.parse(text(TWO_SERVERS)) as {
        job: { content: { reader: { parameter: { connection: unknown[] } } }[] };
      };
      const parameter = job.job.content[0]?.reader.parameter;
      if (parameter === undefined) throw new Error(TWO_SERVERS);
      parameter.connection = [parameter.connection[i]];
      const path = cli.file(`users_${i}.json`, JSON.stringify(job));
      const words = ['--map', `shop=mysql_${i}`, '--map', 'dw=mysql', '--timeout', '60'];
      const { code, talk } = await cli.run(['sync', 'run', path, ...words]);
      if (code !== 0) throw new Error(`${other.name}: ${talk}`);
    }
    expect(await rowsOf('mysql', 'id name', 'users')).toEqual(['1|u1', '2|u2', '9|of 1']);
  });

  test.each(OTHER_SYSTEMS)('%s names what there is no plugin for', async (file) => {
    const { source, target } = importJob(text(file)).dataSources;
    const maps = [source, target].flatMap(({ name, type }) => [
      '--map',
      `${name}=${type === 'mysql' ? 'mysql' : name}`,
    ]);
    const refused = await cli.run(['sync', 'run', join(FOLDER, file), ...maps]);
    expect(refused.code).toBe(3);
    expect(refused.talk).toMatch(/wrong: \/(source|target): there is no (reader|writer) for/);
  });

  test('what changes the rows and cannot be carried over needs a word of the user', async () => {
    const job = text('07-datax-mysql-pg.json').replace(
      '"writer": {',
      '"transformer": [{ "name": "dx_groovy", "parameter": { "code": "return record;" } }], "writer": {',
    );
    const path = cli.file('groovy.json', job);
    const refused = await run(path);
    expect(refused.code).toBe(3);
    expect(refused.talk).toContain('lost: $.job.content[0].transformer[0]');
    expect(refused.talk).toContain('--allow-lost');
    await runs(path, ['--allow-lost']);
    expect(await rowsOf('postgres', 'id')).toEqual(all.map(String));
  });

  test('an expression that is called like a column is refused', async () => {
    const reader = { table: 'orders', expressions: [{ name: 'id', sql: '1' }] };
    for (const kind of ['mysql', 'postgres'] as const) {
      const { server, name: database } = databaseOf(kind);
      const run = runSync({
        from: { kind, server, database },
        to: { kind: 'file', root },
        reader,
        writer: { path: 'x.csv' },
      });
      await expect(run).rejects.toMatchObject({ code: 'MR-D208' });
    }
  });
});
