import { execute } from '../../support/servers.ts';
import { openBenchCluster, runAll } from './bench-cluster.mjs';
import { emptyTarget, LINEITEM } from './lineitem.mjs';

/** Slow, so that the seconds that are measured are many against a run's jitter. */
const BYTES_PER_SECOND = 1.5 * 1024 * 1024;
const ROWS_PER_SECOND = 10_000;
/** Slow: what is left to one worker when the other has ended is lent to it up to a second later. */
const ROWS_PER_SECOND_OF_WORKERS = 8000;
const CHANNELS = 4;
/** When the limit is changed, in both runs. */
const CHANGE_AFTER_MS = 1500;
/** At least so many rows are there in a quick round too. */
const ROWS = 200_000;

/** What is limited, and by which of the two figures of a run the rate is known. */
const LIMITS = {
  'rate-limit': {
    ...inBytes('1 channel'),
    channel: { rateLimit: { bytesPerSecond: BYTES_PER_SECOND } },
  },
  'rate-rows': {
    ...inRows(ROWS_PER_SECOND, '1 channel'),
    channel: { rateLimit: { rowsPerSecond: ROWS_PER_SECOND } },
  },
  'rate-channels': {
    ...inBytes(`${CHANNELS} channels`),
    channel: { concurrency: CHANNELS, rateLimit: { bytesPerSecond: BYTES_PER_SECOND } },
  },
  'rate-live': {
    ...inRows(ROWS_PER_SECOND, `${CHANNELS} channels, changed from a quarter of it while they run`),
    channel: { concurrency: CHANNELS, rateLimit: { rowsPerSecond: ROWS_PER_SECOND / 4 } },
    change: { rateLimit: { rowsPerSecond: ROWS_PER_SECOND } },
  },
};
const OF_WORKERS = 'rate-workers';

export const RATE_CASES = [...Object.keys(LIMITS), OF_WORKERS];

function inBytes(how) {
  return { how, unit: 'bytes', perSecond: BYTES_PER_SECOND };
}

function inRows(perSecond, how) {
  return { how, unit: 'rows', perSecond };
}

/**
 * How far a sync is from the rate it is limited to: of two runs, what one has more by the seconds that it
 * takes longer, so that what a run does before its first row does not count. Adds to `figures`.
 */
export async function benchRate(name, bench) {
  if (name === OF_WORKERS) await ofWorkers(bench);
  else await ofOneSync(name, bench);
}

async function ofOneSync(name, { servers, worker, figures, say }) {
  const { mysql, postgres } = servers;
  const { how, unit, perSecond, channel, change } = LIMITS[name];
  const measure = async (rows) => {
    await emptyTarget(postgres);
    const from = { ...mysql, reader: { table: 'src', where: `id <= ${rows}`, sliceKey: 'id' } };
    const run = await worker.run(from, postgres, channel, (instance) => {
      if (change !== undefined) changeLater(worker.cluster, instance, change);
    });
    if (run.rowsWritten !== rows) throw new Error(`${run.rowsWritten} rows, not ${rows}`);
    return { ...run, rows };
  };
  // Warms up.
  await measure(ROWS_PER_SECOND);
  const half = await measure(ROWS / 2);
  const whole = await measure(ROWS);
  const found = (whole[unit] - half[unit]) / (whole.seconds - half.seconds);
  addError({ figures, say }, name, { found, perSecond, unit, how });
}

/** What a run that has ended before would be told keeps nobody. */
function changeLater(cluster, instance, change) {
  const path = `/instances/${instance}/channel`;
  setTimeout(() => void cluster.send('PUT', path, change), CHANGE_AFTER_MS).unref();
}

/** Two real workers, each with a sync, on a data source whose limit is changed while they run. */
async function ofWorkers({ servers, figures, say }) {
  const cluster = await openBenchCluster(servers, { workers: 2, capacity: 1 });
  try {
    const limit = (rowsPerSecond) =>
      cluster.send('PUT', `/workspaces/sample/data-sources/${cluster.sources.mysql}/rate-limit`, {
        rowsPerSecond,
      });
    const names = ['copy_a', 'copy_b'];
    for (const name of names) {
      const sql = `CREATE TABLE ${name} (LIKE dst INCLUDING ALL)`;
      await execute(servers.postgres, sql, LINEITEM.database);
    }
    const measure = async (rows) => {
      const id = await cluster.submit(`rate_${rows}`, {
        nodes: names.map((name) => ({
          id: name,
          type: 'sync',
          config: {
            source: { dataSource: 'mysql', table: 'src', where: `id <= ${rows}` },
            target: { dataSource: 'postgres', table: name, mode: 'truncate' },
          },
        })),
      });
      await limit(ROWS_PER_SECOND_OF_WORKERS / 4);
      const changing = setTimeout(() => void limit(ROWS_PER_SECOND_OF_WORKERS), CHANGE_AFTER_MS);
      await runAll(cluster, id, 1).finally(() => clearTimeout(changing));
      const [row] = await cluster.database.rows(
        `SELECT extract(epoch FROM max(i.ended_at) - min(i.dispatched_at))::float8 AS seconds,
                count(DISTINCT worker_id) AS workers
           FROM node_instance i JOIN attempt a ON a.plan_day = i.plan_day AND a.instance_id = i.id
          WHERE i.workflow_id = $1`,
        [id],
      );
      if (Number(row.workers) !== names.length) throw new Error(`${row.workers} workers`);
      return { rows: rows * names.length, seconds: row.seconds };
    };
    const half = await measure(ROWS / 2);
    const whole = await measure(ROWS);
    const found = (whole.rows - half.rows) / (whole.seconds - half.seconds);
    const limited = inRows(
      ROWS_PER_SECOND_OF_WORKERS,
      'a data source, 2 worker processes, changed while they run',
    );
    addError({ figures, say }, OF_WORKERS, { found, ...limited });
  } finally {
    await cluster[Symbol.asyncDispose]();
  }
}

function addError({ figures, say }, name, { found, perSecond, unit, how }) {
  say(`${name} ${Math.round(found)} ${unit}/s of ${perSecond}, ${how}`);
  const error = Math.abs(found / perSecond - 1) * 100;
  figures.add(
    `${name}-error-pct`,
    error,
    '%',
    `from ${perSecond} ${unit}/s, MySQL to PostgreSQL, ${how}`,
  );
}
