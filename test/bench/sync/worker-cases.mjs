import { readFile, writeFile } from 'node:fs/promises';

import { execute } from '../../support/servers.ts';
import { percentile } from '../timeline/figures.mjs';
import { openBenchCluster, runAll } from './bench-cluster.mjs';
import { fillSource, LINEITEM } from './lineitem.mjs';

const CHANNELS = 8;
/** How many times the rows of the smallest table. */
const SIZES = [1, 4, 20];
const FEW_ROWS = 50;
/** Until plugins and connections are as they stay. */
const WARM_UP = 10;

export const WORKER_CASES = ['worker-memory', 'worker-few-rows'];

/** Syncs of a real worker process, claimed from a real api: what only shows there. Adds to `figures`. */
export async function benchWorker(name, { servers, rows, jobs, figures, say }) {
  // Of its own: the memory of one that has run other cases says little.
  const cluster = await openBenchCluster(servers, { workers: 1, capacity: 1 });
  try {
    const bench = { cluster, servers, figures, say };
    if (name === 'worker-memory') await memory({ ...bench, rows });
    else await fewRows({ ...bench, jobs });
  } finally {
    await cluster[Symbol.asyncDispose]();
  }
}

/**
 * The greatest resident size of the worker's process while eight channels bring 1, 4 and 20 times as many
 * rows, from PostgreSQL to MySQL and back.
 */
async function memory({ cluster, servers, rows, figures, say }) {
  const ways = { 'pg-mysql': ['postgres', 'mysql'], 'mysql-pg': ['mysql', 'postgres'] };
  const peaks = { 'pg-mysql': [], 'mysql-pg': [] };
  // The first round warms up.
  for (const [round, times] of [1, ...SIZES].entries()) {
    const from = await fillSource(servers, `many_${round}`, rows * times);
    for (const [way, [source, target]] of Object.entries(ways)) {
      const id = await cluster.submit(`${way}_${round}`, {
        nodes: [
          {
            id: 'copy',
            type: 'sync',
            config: {
              source: { dataSource: source, table: from, sliceKey: 'id' },
              // Each is made on both systems, and what one way has filled the other one reads.
              target: { dataSource: target, table: from, mode: 'truncate' },
              channel: { concurrency: CHANNELS },
            },
          },
        ],
      });
      const peak = await peakOf(cluster, async () => await runAll(cluster, id, 1));
      const found = await countOf(servers[target], from);
      if (found !== rows * times) throw new Error(`${way}: ${found} rows, not ${rows * times}`);
      say(`${way} ${rows * times} rows over ${CHANNELS} channels: ${peak.toFixed(1)} MB`);
      if (round > 0) peaks[way].push(peak);
    }
    for (const end of [servers.postgres, servers.mysql]) {
      await execute(end, `DROP TABLE ${from}`, LINEITEM.database);
    }
  }
  for (const [way, list] of Object.entries(peaks)) {
    const sizes = `${rows * SIZES[0]} to ${rows * SIZES.at(-1)} rows`;
    figures.add(`${way}-rss-mb`, Math.max(...list), 'MB', `worker process, ${CHANNELS} channels`);
    figures.add(`${way}-rss-slope-pct`, (list.at(-1) / list[0] - 1) * 100, '%', sizes);
  }
}

/** Jobs one after the other in a warm worker, from the claim to the end that the store knows. */
async function fewRows({ cluster, servers, jobs, figures }) {
  const values = Array.from({ length: FEW_ROWS }, (_, n) => `(${n}, 'v${n}')`).join();
  for (const end of [servers.postgres, servers.mysql]) {
    await execute(
      end,
      `CREATE TABLE few (id int PRIMARY KEY, v varchar(20)); INSERT INTO few VALUES ${values};
       CREATE TABLE few_copies (id int, v varchar(20))`,
      LINEITEM.database,
    );
  }
  for (const [way, source, target] of [
    ['pg-mysql', 'postgres', 'mysql'],
    ['mysql-pg', 'mysql', 'postgres'],
  ]) {
    const id = await cluster.submit(`few_${way}`, {
      nodes: [
        {
          id: 'copy',
          type: 'sync',
          config: {
            source: { dataSource: source, table: 'few' },
            target: { dataSource: target, table: 'few_copies', mode: 'append' },
          },
        },
      ],
    });
    await runAll(cluster, id, WARM_UP + jobs);
    const found = await countOf(servers[target], 'few_copies');
    if (found !== FEW_ROWS * (WARM_UP + jobs)) throw new Error(`${way}: ${found} rows`);
    const times = await cluster.database.rows(
      `SELECT extract(epoch FROM ended_at - dispatched_at)::float8 * 1000 AS ms
         FROM node_instance WHERE workflow_id = $1 ORDER BY ended_at OFFSET ${WARM_UP}`,
      [id],
    );
    const ms = times.map((row) => row.ms);
    const how = `${FEW_ROWS} rows, claim to end, ${ms.length} jobs one after the other`;
    for (const p of [50, 99])
      figures.add(`${way}-job50-p${p}-ms`, percentile(ms, p / 100), 'ms', how);
  }
}

/** Megabytes, by the kernel's own high-water mark. */
async function peakOf(cluster, work) {
  const folder = `/proc/${cluster.processes.pid('w1')}`;
  // Sets the mark back to what is resident now.
  await writeFile(`${folder}/clear_refs`, '5');
  await work();
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`${folder}/status`, 'utf8'));
  return Number(kilobytes) / 1024;
}

async function countOf(server, table) {
  const [row] = await execute(server, `SELECT count(*) AS n FROM ${table}`, LINEITEM.database);
  return Number(row.n);
}
