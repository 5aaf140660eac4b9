import { execute } from '../../support/servers.ts';
import { emptyTarget } from './lineitem.mjs';
import { benchPair } from './pair-case.mjs';
import { nativePipe } from './native-pipe.mjs';

const SYSTEMS = ['postgres', 'mysql'];
const WAYS = ['pg-pg', 'mysql-pg', 'pg-mysql', 'mysql-mysql'];
/** PostgreSQL takes no more arguments in one call. */
const CELLS_OF_ONE_SUM = 60;

const column = (name, type, fill) => ({ name, ddl: { postgres: type, mysql: type }, fill });
const key = column('id', 'int NOT NULL PRIMARY KEY', 'i');

/** In turns a number, a decimal, a short text and a date, none of them the same in two columns of a row. */
function wideColumn(at) {
  const n = `(i * 7919 + ${at} * 104729)`;
  const kinds = [
    ['int NOT NULL', `(${n} % 1000000000)::int`],
    ['decimal(12,2) NOT NULL', `(${n} % 1000000000)::numeric / 100`],
    ['varchar(20) NOT NULL', `left(md5((i + ${at})::text), 4 + ((i + ${at}) % 16)::int)`],
    ['date NOT NULL', `DATE '1992-01-02' + (${n} % 10000)::int`],
  ];
  return column(`c${at}`, ...kinds[at % kinds.length]);
}

/** Tables whose rows are not like those of lineitem. `rows` of the full round; the quick one has a tenth. */
const SHAPES = {
  narrow: { rows: 4_000_000, columns: [key, column('v', 'int NOT NULL', '(i * 7919) % 1000000')] },
  wide: {
    rows: 100_000,
    columns: [key, ...Array.from({ length: 199 }, (_, at) => wideColumn(at))],
  },
  blobs: {
    rows: 400,
    columns: [
      key,
      {
        name: 'data',
        ddl: { postgres: 'bytea NOT NULL', mysql: 'longblob NOT NULL' },
        // 1 MB of which no page is like another.
        fill: `(SELECT decode(string_agg(md5((i * 65536 + n)::text), '' ORDER BY n), 'hex') FROM generate_series(1, 65536) AS n)`,
      },
    ],
    // In their texts the two write bytes differently.
    pipes: ['pg-pg', 'mysql-mysql'],
  },
};

export const SHAPE_CASES = Object.keys(SHAPES);

/** All ways between the two systems, where there is one against the native pipe. Adds to `figures`. */
export async function benchShape(name, { servers, worker, isQuick, pairs, figures, say }) {
  const { rows: all, columns, pipes = WAYS } = SHAPES[name];
  const rows = isQuick ? all / 10 : all;
  const database = `bench_${name}`;
  const sum = (server, table) => checksum(server, database, table, columns);
  const expected = await fill({ servers, worker, database, columns, rows, sum });
  const native = nativePipe(servers, database);
  for (const way of WAYS) {
    const [from, to] = way.split('-').map((end) => servers[end === 'pg' ? 'postgres' : end]);
    await benchPair({
      name: `${name}-${way}`,
      rows,
      pairs,
      pipe: pipes.includes(way) ? native[way] : undefined,
      prepare: () => emptyTarget(to, database),
      ours: () => worker.run(from, to, { database }),
      check: async () => {
        const found = await sum(to, 'dst');
        if (found !== expected) throw new Error(`${name}-${way}: ${found}, not ${expected}`);
      },
      figures,
      say,
    });
  }
  for (const system of SYSTEMS) await execute(servers[system], `DROP DATABASE ${database}`);
}

/** Gives the checksum of `src`, which has the same rows on both systems. */
async function fill({ servers, worker, database, columns, rows, sum }) {
  const { postgres, mysql } = servers;
  for (const system of SYSTEMS) {
    const cells = columns.map(({ name, ddl }) => `${name} ${ddl[system]}`).join(', ');
    await execute(servers[system], `CREATE DATABASE ${database}`);
    for (const table of ['src', 'dst'])
      await execute(servers[system], `CREATE TABLE ${table} (${cells})`, database);
  }
  const values = columns.map((each) => each.fill).join(', ');
  const series = `generate_series(1::bigint, ${rows}) AS i`;
  await execute(postgres, `INSERT INTO src SELECT ${values} FROM ${series}`, database);
  await execute(postgres, 'VACUUM (ANALYZE, FREEZE) src', database);
  await worker.run(postgres, mysql, { database });
  await execute(mysql, 'RENAME TABLE src TO spare, dst TO src, spare TO dst', database);
  await execute(mysql, 'ANALYZE TABLE src', database);
  const expected = await sum(postgres, 'src');
  const onMysql = await sum(mysql, 'src');
  if (onMysql !== expected) throw new Error(`the sources differ: ${expected} and ${onMysql}`);
  return expected;
}

/** One number over every cell of every row, which both systems work out in the same way. */
async function checksum(server, database, table, columns) {
  const digests = [];
  for (let at = 0; at < columns.length; at += CELLS_OF_ONE_SUM) {
    const cells = columns.slice(at, at + CELLS_OF_ONE_SUM).map((each) => textOf(each, server.kind));
    digests.push(firstBits(`concat_ws('|', ${cells.join(', ')})`, server.kind));
  }
  const sql = `SELECT concat(count(*), ' ', sum(${digests.join(' + ')})) AS sum FROM ${table}`;
  const [row] = await execute(server, sql, database);
  return String(row.sum);
}

function textOf({ name, ddl }, kind) {
  return ddl.postgres.startsWith('bytea')
    ? `md5(${name})`
    : kind === 'mysql'
      ? name
      : `${name}::text`;
}

function firstBits(text, kind) {
  return kind === 'mysql'
    ? `CAST(CONV(SUBSTR(MD5(${text}), 1, 12), 16, 10) AS DECIMAL(30))`
    : `('x' || substr(md5(${text}), 1, 12))::bit(48)::bigint`;
}
