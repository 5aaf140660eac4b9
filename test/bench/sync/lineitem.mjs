import { execute } from '../../support/servers.ts';

const DATABASE = 'bench';

/** 17 columns as in TPC-H's lineitem, with a key of one integer; the same DDL on both systems. */
const DDL = `CREATE TABLE %NAME% (
  id bigint NOT NULL PRIMARY KEY,
  l_orderkey bigint NOT NULL, l_partkey int NOT NULL, l_suppkey int NOT NULL, l_linenumber int NOT NULL,
  l_quantity decimal(15,2) NOT NULL, l_extendedprice decimal(15,2) NOT NULL,
  l_discount decimal(15,2) NOT NULL, l_tax decimal(15,2) NOT NULL,
  l_returnflag char(1) NOT NULL, l_linestatus char(1) NOT NULL,
  l_shipdate date NOT NULL, l_commitdate date NOT NULL, l_receiptdate date NOT NULL,
  l_shipinstruct char(25) NOT NULL, l_shipmode char(10) NOT NULL, l_comment varchar(44) NOT NULL)`;

/** Made by PostgreSQL from a formula: the same rows in every run and on every machine. */
const FILL = `INSERT INTO %NAME% SELECT i, i / 4, (i * 7919) % 200000, (i * 104729) % 10000, i % 7 + 1,
    i % 50 + 1, ((i * 7919) % 10000000)::numeric / 100, (i % 11)::numeric / 100, (i % 9)::numeric / 100,
    substr('RAN', (i % 3)::int + 1, 1), substr('OF', (i % 2)::int + 1, 1),
    DATE '1992-01-02' + (i % 2500)::int, DATE '1992-02-01' + (i % 2400)::int, DATE '1992-01-05' + (i % 2450)::int,
    (ARRAY['DELIVER IN PERSON','COLLECT COD','NONE','TAKE BACK RETURN'])[(i % 4)::int + 1],
    (ARRAY['REG AIR','AIR','RAIL','SHIP','TRUCK','MAIL','FOB'])[(i % 7)::int + 1],
    left(md5(i::text) || ' carefully ' || i, 10 + (i % 35)::int)
  FROM generate_series(1::bigint, %ROWS%) AS i`;

const COLUMNS =
  'id,l_orderkey,l_partkey,l_suppkey,l_linenumber,l_quantity,l_extendedprice,l_discount,l_tax,' +
  'l_returnflag,l_linestatus,l_shipdate,l_commitdate,l_receiptdate,RTRIM(l_shipinstruct),RTRIM(l_shipmode),l_comment';

/** One number over every cell of every row, which both systems work out in the same way. */
const CHECKSUM = {
  postgres: `SELECT concat(count(*), ' ', sum(('x' || substr(md5(concat_ws('|',${COLUMNS})),1,12))::bit(48)::bigint)) AS sum FROM %NAME%`,
  mysql: `SELECT CONCAT(COUNT(*), ' ', CAST(SUM(CAST(CONV(SUBSTR(MD5(CONCAT_WS('|',${COLUMNS})),1,12),16,10) AS UNSIGNED)) AS CHAR)) AS sum FROM %NAME%`,
};

/** As `src`, of types that hold what `dst` does not. */
const LOOSE = `CREATE TABLE %NAME% AS SELECT %ID% AS id, l_orderkey, l_partkey, l_suppkey, l_linenumber, l_quantity,
  l_extendedprice, l_discount, %TAX% AS l_tax, l_returnflag, l_linestatus, %DATE% AS l_shipdate, l_commitdate, l_receiptdate,
  rtrim(l_shipinstruct) AS l_shipinstruct, rtrim(l_shipmode) AS l_shipmode, %COMMENT% AS l_comment FROM src ORDER BY src.id`;

/**
 * Makes `clean` and `dirty` on PostgreSQL. Of 800 rows two are no date, two too long, two have a key that is taken (by
 * the row before, or by one that was sent long ago), one is NULL and one against {@link withCheck}. Gives the number
 * of dirty rows.
 */
export async function fillDirty(postgres, rows) {
  const every = (offset, of = 400) => `id % ${of} = ${offset}`;
  // Seven more: that row keeps its own key.
  const longAgo = Math.floor(rows / 1600) * 400 + 7;
  const texts = {
    clean: {
      ID: 'id',
      DATE: 'l_shipdate::text',
      COMMENT: 'l_comment::varchar(200)',
      TAX: 'l_tax::decimal(15,2)',
    },
    dirty: {
      ID: `CASE WHEN ${every(300, 800)} AND id > ${longAgo} THEN id - ${longAgo} WHEN ${every(300)} THEN id - 1 ELSE id END`,
      DATE: `CASE WHEN ${every(100)} THEN 'no date' ELSE l_shipdate::text END`,
      COMMENT: `CASE WHEN ${every(200)} THEN repeat('x', 99) WHEN ${every(0, 800)} THEN NULL ELSE l_comment END::varchar(200)`,
      TAX: `(CASE WHEN ${every(400, 800)} THEN -1 ELSE l_tax END)::decimal(15,2)`,
    },
  };
  for (const [name, columns] of Object.entries(texts)) {
    await execute(postgres, `DROP TABLE IF EXISTS ${name}`, DATABASE);
    const sql = LOOSE.replace('%NAME%', name).replace(
      /%([A-Z]+)%/g,
      (_, column) => columns[column],
    );
    await execute(postgres, sql, DATABASE);
    await execute(postgres, `VACUUM (ANALYZE, FREEZE) ${name}`, DATABASE);
  }
  return Math.floor(rows / 100);
}

/** Runs `work` with a CHECK on the target. */
export async function withCheck(server, work) {
  await execute(server, 'ALTER TABLE dst ADD CONSTRAINT tax CHECK (l_tax >= 0)', DATABASE);
  await work();
  await execute(server, 'ALTER TABLE dst DROP CONSTRAINT tax', DATABASE);
}

export const LINEITEM = { database: DATABASE, source: 'src', target: 'dst' };

/** Makes `src` with `rows` rows and an empty `dst` on both systems; gives the checksum of `src`. */
export async function fillLineitem({ postgres, mysql }, rows, pipe) {
  for (const server of [postgres, mysql]) {
    await execute(server, `CREATE DATABASE ${DATABASE}`);
    for (const name of ['src', 'dst']) await execute(server, DDL.replace('%NAME%', name), DATABASE);
  }
  await execute(postgres, fillOf('src', rows), DATABASE);
  await execute(postgres, 'VACUUM (ANALYZE, FREEZE) src', DATABASE);
  await pipe();
  await execute(mysql, 'ANALYZE TABLE src', DATABASE);
  const expected = await checksum(postgres, 'src');
  const onMysql = await checksum(mysql, 'src');
  if (onMysql !== expected) throw new Error(`the sources differ: ${expected} and ${onMysql}`);
  return expected;
}

/** A table of that name on both systems, on PostgreSQL with so many rows; gives the name. */
export async function fillSource({ postgres, mysql }, name, rows) {
  for (const server of [postgres, mysql]) {
    await execute(server, DDL.replace('%NAME%', name), DATABASE);
  }
  await execute(postgres, fillOf(name, rows), DATABASE);
  await execute(postgres, `VACUUM (ANALYZE, FREEZE) ${name}`, DATABASE);
  return name;
}

function fillOf(name, rows) {
  return FILL.replace('%NAME%', name).replace('%ROWS%', String(rows));
}

export async function checksum(server, table) {
  const [row] = await execute(server, CHECKSUM[server.kind].replace('%NAME%', table), DATABASE);
  return String(row.sum);
}

/** An empty target, and no work left over that a run before it would be charged for. */
export async function emptyTarget(server, database = DATABASE) {
  await execute(server, 'TRUNCATE TABLE dst', database);
  if (server.kind === 'postgres') await execute(server, 'CHECKPOINT', DATABASE);
  else await execute(server, 'PURGE BINARY LOGS BEFORE NOW()', DATABASE);
}
