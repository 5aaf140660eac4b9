import { randomBytes } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const BIZDATE = '2026-11-20';
const NODES = 1_000;
/** The kernel counts the time of processes in these. */
const TICKS_PER_S = 100;
/** The first minute after work is that of the garbage collector. */
const SETTLE_MS = 60_000;

/**
 * What a whole installation costs while nothing is due: api, scheduler and one worker as real processes, their
 * statements as the server counts them.
 */
export async function idle({ folder, seconds, figures, using, say }) {
  const { EmbeddedPostgresServer } = await import('../../../src/embedded/postgres-server.ts');
  const { freePort } = await import('../../../src/embedded/free-port.ts');
  const { migrate } = await import('../../../src/store/run-migrations.ts');
  const { Cluster } = await import('../../support/cluster.ts');
  // Of its own: to count statements costs the other figures something.
  const server = await EmbeddedPostgresServer.start({
    port: await freePort(),
    password: randomBytes(12).toString('hex'),
    dataFolder: join(folder, 'counted'),
    logFile: join(folder, 'counted.log'),
    databases: ['millrace'],
    durable: true,
    settings: { shared_preload_libraries: 'pg_stat_statements' },
  });
  try {
    await migrate(server.url('millrace'));
    const statements = await StatementCount.open(server.url('postgres'));
    // The settings that an installation has unless it says otherwise.
    const lease = { leaseMs: 30_000, renewMs: 5_000 };
    const options = { workers: 1, capacity: 16, ...lease, databaseUrl: server.url('millrace') };
    await using(await Cluster.open(options), async (cluster) => {
      const id = await cluster.submit('done', {
        nodes: Array.from({ length: NODES }, (_, at) => ({ id: `node_${at}`, type: 'virtual' })),
      });
      await cluster.runDays(id, [BIZDATE]);
      await cluster.untilDone(600_000, 1_000);
      await sleep(SETTLE_MS);
      const pids = ['api', 'scheduler', 'w1'].map((name) => cluster.processes.pid(name));
      const before = await cpuOf(pids);
      await statements.reset();
      await sleep(seconds * 1_000);
      const after = await cpuOf(pids);
      const found = await statements.all();
      for (const [at, name] of ['api', 'scheduler', 'worker'].entries())
        say(`${name}: ${((100 * (after[at] - before[at])) / seconds).toFixed(2)} % of a core`);
      for (const { calls, text } of found.slice(0, 25))
        say(`${(calls / seconds).toFixed(2).padStart(7)} 1/s  ${text}`);
      const sum = (all) => all.reduce((total, each) => total + each, 0);
      figures.add(
        'idle-cpu-pct',
        (100 * (sum(after) - sum(before))) / seconds,
        '%',
        `of a core, api, scheduler and a worker, ${seconds} s`,
      );
      figures.add(
        'idle-statements-per-s',
        sum(found.map(({ calls }) => calls)) / seconds,
        '1/s',
        'of the three, counted by pg_stat_statements',
      );
    });
    await statements.close();
  } finally {
    await server.stop();
  }
}

/** What the server was asked in its other database. */
class StatementCount {
  #client;

  static async open(url) {
    const { default: pg } = await import('pg');
    const count = new StatementCount();
    count.#client = new pg.Client({ connectionString: url });
    await count.#client.connect();
    await count.#client.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
    return count;
  }

  async reset() {
    await this.#client.query('SELECT pg_stat_statements_reset()');
  }

  /** The most frequent first. */
  async all() {
    const { rows } = await this.#client.query(
      `SELECT sum(calls)::int AS calls, regexp_replace(left(query, 110), '\\s+', ' ', 'g') AS text
         FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
        WHERE d.datname <> current_database() AND toplevel GROUP BY 2 ORDER BY 1 DESC`,
    );
    return rows;
  }

  async close() {
    await this.#client.end();
  }
}

/** Seconds of each of these processes with all that it has started. */
async function cpuOf(pids) {
  const stats = new Map();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const text = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const [parent, ...times] = [fields[1], fields[11], fields[12], fields[13], fields[14]].map(
      Number,
    );
    if (text !== '') stats.set(Number(name), { parent, ticks: times.reduce((a, b) => a + b) });
  }
  const ticksOf = (pid) =>
    [...stats].reduce(
      (sum, [child, { parent }]) => sum + (parent === pid ? ticksOf(child) : 0),
      stats.get(pid)?.ticks ?? 0,
    );
  return pids.map((pid) => ticksOf(pid) / TICKS_PER_S);
}
