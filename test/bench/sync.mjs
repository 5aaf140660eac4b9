import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';

import { execute } from '../support/servers.ts';
import { benchChannels, CHANNEL_CASES } from './sync/channel-cases.mjs';
import {
  LINEITEM,
  checksum,
  emptyTarget,
  fillDirty,
  fillLineitem,
  withCheck,
} from './sync/lineitem.mjs';
import { nativePipe, runPipe } from './sync/native-pipe.mjs';
import { benchPair } from './sync/pair-case.mjs';
import { benchRate, RATE_CASES } from './sync/rate-case.mjs';
import { openServers } from './sync/servers.mjs';
import { benchShape, SHAPE_CASES } from './sync/shapes.mjs';
import { openWarmWorker } from './sync/warm-worker.mjs';
import { benchWorker, WORKER_CASES } from './sync/worker-cases.mjs';
import { Figures, percentile } from './timeline/figures.mjs';

const isJson = process.argv.includes('--json');
const isQuick = process.argv.includes('--quick');
const ROWS = isQuick ? 200_000 : 2_000_000;
const PAIRS = isQuick ? 3 : 5;
const CASES = [
  'pg-pg',
  'mysql-pg',
  'pg-mysql',
  'mysql-mysql',
  'csv-pg',
  'csv-mysql',
  'pg-csv',
  'mysql-csv',
  'pg-mysql-insert',
  'dirty-ratio-pg',
  'dirty-ratio-mysql',
];
/** The smallest table of `worker-memory`, and the jobs of `worker-few-rows`. */
const WORKER = isQuick ? { rows: 100_000, jobs: 100 } : { rows: 1_000_000, jobs: 1_000 };
const ALL = [...CASES, ...SHAPE_CASES, ...CHANNEL_CASES, ...RATE_CASES, ...WORKER_CASES];
const wanted = process.argv.slice(3).filter((word) => !word.startsWith('--'));

const figures = new Figures();
const say = (text) => process.stderr.write(`${text}\n`);
const unknown = wanted.filter((name) => !ALL.includes(name));
if (unknown.length > 0) {
  say(`There is no case ${unknown.join(', ')}. Choose: ${ALL.join(', ')}.`);
  process.exit(2);
}
const servers = await openServers();
let worker;
try {
  for (const setting of servers.durability) say(setting);
  const pipes = nativePipe(servers, LINEITEM.database, {
    source: join(servers.folder, 'src.csv'),
    target: join(servers.folder, 'dst.csv'),
  });
  const expected = await fillLineitem(servers, ROWS, () => runPipe(pipes.fill));
  await runPipe(pipes.csv);
  say(`${ROWS} rows, checksum ${expected}`);
  worker = await openWarmWorker(servers);
  for (const name of wanted.length > 0 ? wanted : ALL) {
    if (WORKER_CASES.includes(name)) {
      await benchWorker(name, { servers, ...WORKER, figures, say });
    } else if (RATE_CASES.includes(name)) {
      await benchRate(name, { servers, worker, figures, say });
    } else if (CHANNEL_CASES.includes(name)) {
      await benchChannels(name, { servers, worker, pairs: PAIRS, figures, say });
    } else if (SHAPE_CASES.includes(name)) {
      await benchShape(name, { servers, worker, isQuick, pairs: PAIRS, figures, say });
    } else if (name.startsWith('dirty-ratio-')) {
      await dirtyCase(name, endOf(name.split('-').at(-1)));
    } else await benchCase(name, pipes, expected);
  }
} finally {
  await worker?.close();
  await servers.close();
}
worst('dirty-1pct-ratio', Math.min);
worst('channels-4-ratio', Math.min);
worst('skew-ratio', Math.min);
worst('job50-p50-ms', Math.max);
worst('job50-p99-ms', Math.max);
worst('rss-mb', Math.max);
const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'CPU'}, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}, MariaDB and embedded PostgreSQL on the same machine, TCP loopback`;
figures.print('sync', machine, isJson);

/** The worst of the ways that were measured, under the name of what they have in common. */
function worst(name, pick) {
  const ways = ['pg', 'mysql', 'pg-mysql', 'mysql-pg'].map((way) => `${way}-${name}`);
  const values = figures.valuesOf(ways);
  if (values.length === 0) return;
  const unit = name.endsWith('ms') ? 'ms' : name.endsWith('mb') ? 'MB' : '';
  figures.add(name, pick(...values), unit, 'the worst of them');
}

function endOf(word) {
  if (word === 'csv') {
    const writer = { path: 'dst.csv', mode: 'truncate' };
    return { kind: 'file', root: servers.folder, reader: csvReader(), writer };
  }
  return word === 'pg' ? servers.postgres : servers.mysql;
}

/** The types are declared: a CSV file itself knows text alone. */
function csvReader() {
  const integers = ['id', 'l_orderkey', 'l_partkey', 'l_suppkey', 'l_linenumber'];
  const decimals = ['l_quantity', 'l_extendedprice', 'l_discount', 'l_tax'];
  const dates = ['l_shipdate', 'l_commitdate', 'l_receiptdate'];
  const typed = (names, type) => names.map((name) => ({ name, type }));
  return {
    path: 'src.csv',
    columns: [
      ...typed(integers, 'integer'),
      ...typed(decimals, 'decimal'),
      ...typed(dates, 'date'),
    ],
  };
}

async function benchCase(name, pipes, expected) {
  const [from, to] = name.split('-').map(endOf);
  // What is in a file is summed up by PostgreSQL, which has to read it first.
  const table = to.kind === 'file' ? servers.postgres : to;
  // Off is how a server of MySQL comes; the native pipe needs it.
  const isInsert = name.endsWith('-insert');
  const { cpuUs } = await benchPair({
    name,
    rows: ROWS,
    pairs: PAIRS,
    pipe: pipes[name],
    prepare: () => emptyTarget(table),
    ours: async () => {
      if (isInsert) await execute(servers.mysql, 'SET GLOBAL local_infile = 0');
      const run = await worker.run(from, to);
      if (isInsert) await execute(servers.mysql, 'SET GLOBAL local_infile = 1');
      return run;
    },
    check: async () => {
      if (to.kind === 'file') await runPipe(pipes['read-csv']);
      const found = await checksum(table, LINEITEM.target);
      if (found !== expected) throw new Error(`${name}: checksum ${found}, not ${expected}`);
    },
    figures,
    say,
  });
  if (name === 'mysql-pg') figures.add('cpu-us-per-row', cpuUs, 'µs', 'the same');
}

/** The same rows with and without dirty ones among them, in turns; each dirty row has to be quarantined. */
async function dirtyCase(name, to) {
  const dirtyRows = await fillDirty(servers.postgres, ROWS);
  const seconds = { clean: [], dirty: [] };
  const measure = async (which) => {
    await emptyTarget(to);
    const from = { ...servers.postgres, reader: { table: which } };
    const run = await worker.run(from, to, { dirtyLimit: { ratio: 0.02 } });
    const wanted = which === 'dirty' ? dirtyRows : 0;
    const found = await worker.quarantined();
    if (found !== wanted || run.rowsDirty !== wanted || run.rowsWritten !== ROWS - wanted)
      throw new Error(`${name}: ${found} rows in quarantine instead of ${wanted}`);
    return run.seconds;
  };
  await emptyTarget(to);
  await withCheck(to, async () => {
    await measure('clean');
    for (let pair = 0; pair < PAIRS; pair++) {
      const order = pair % 2 === 0 ? ['clean', 'dirty'] : ['dirty', 'clean'];
      for (const which of order) seconds[which].push(await measure(which));
    }
    await emptyTarget(to);
  });
  const [clean, dirty] = [percentile(seconds.clean, 0.5), percentile(seconds.dirty, 0.5)];
  const detail = `clean ${clean.toFixed(2)} s, ${dirtyRows} dirty rows ${dirty.toFixed(2)} s`;
  figures.add(
    `${to.kind === 'postgres' ? 'pg' : 'mysql'}-dirty-1pct-ratio`,
    clean / dirty,
    '',
    detail,
  );
}
