import { spawn } from 'node:child_process';
import { quote } from './quote.mjs';

/** Blanks that pad a CHAR are no part of its value, and a column of text in a file would keep them. */
const UNPADDED =
  `SELECT id, l_orderkey, l_partkey, l_suppkey, l_linenumber, l_quantity, l_extendedprice, l_discount,
  l_tax, l_returnflag, l_linestatus, l_shipdate, l_commitdate, l_receiptdate, rtrim(l_shipinstruct) AS l_shipinstruct,
  rtrim(l_shipmode) AS l_shipmode, l_comment FROM src`.replaceAll(/\s+/g, ' ');

/** How the systems' own programs move the rows: what a case is measured against. */
export function nativePipe({ postgres, mysql }, database, { source: csvFile, target }) {
  const psql = (sql) =>
    `PGPASSWORD=${postgres.password} psql -X -q -v ON_ERROR_STOP=1 -h ${postgres.host} -p ${postgres.port} -U ${postgres.user} -d ${database} -c ${quote(sql)}`;
  const mariadb = (options, sql) =>
    `MYSQL_PWD=${mysql.password} mariadb --no-defaults -h ${mysql.host} -P ${mysql.port} -u ${mysql.user} --default-character-set=utf8mb4 ${options} ${database} -e ${quote(sql)}`;
  const select = mariadb('--quick -N -B', 'SELECT * FROM src');
  const load = (table) =>
    mariadb('--local-infile=1', `LOAD DATA LOCAL INFILE '/dev/stdin' INTO TABLE ${table}`);
  return {
    'pg-pg': `${psql('COPY src TO STDOUT (FORMAT binary)')} | ${psql('COPY dst FROM STDIN (FORMAT binary)')}`,
    'mysql-pg': `${select} | ${psql("COPY dst FROM STDIN (NULL 'NULL')")}`,
    'pg-mysql': `${psql('COPY src TO STDOUT')} | ${load('dst')}`,
    'mysql-mysql': `${select} | ${load('dst')}`,
    'csv-pg': psql(`\\copy dst FROM '${csvFile}' (FORMAT csv, HEADER)`),
    'pg-mysql-insert': `${psql('COPY src TO STDOUT')} | ${load('dst')}`,
    'csv-mysql': `${mariadb('--local-infile=1', `LOAD DATA LOCAL INFILE '${csvFile}' INTO TABLE dst FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '"' IGNORE 1 LINES`)}`,
    'pg-csv': psql(`\\copy src TO '${target}' (FORMAT csv, HEADER)`),
    // No cell of these rows has a tab or a comma in it, so that this is CSV.
    'mysql-csv': `${mariadb('--quick -B', 'SELECT * FROM src')} | tr '\\t' , > ${target}`,
    'read-csv': psql(`\\copy dst FROM '${target}' (FORMAT csv, HEADER)`),
    fill: `${psql('COPY src TO STDOUT')} | ${load('src')}`,
    csv: psql(`\\copy (${UNPADDED}) TO '${csvFile}' (FORMAT csv, HEADER)`),
  };
}

/** Runs a pipeline of the shell; a failure of any part of it is a failure. */
export async function runPipe(command) {
  await new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', `set -o pipefail; ${command}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let words = '';
    child.stderr.on('data', (bytes) => (words += bytes));
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`native pipe, exit ${code}: ${words.trim()}`)),
    );
  });
}
