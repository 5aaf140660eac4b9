import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';

import { dueInOrder } from './scheduler/due.mjs';
import { idle } from './scheduler/idle.mjs';
import { claimLoops, workerRun } from './scheduler/worker-run.mjs';
import { zeroLoad } from './scheduler/zero-load.mjs';
import { Figures, percentile } from './timeline/figures.mjs';

const isJson = process.argv.includes('--json');
const isQuick = process.argv.includes('--quick');
const only = process.argv.find((each) => each.startsWith('--only='))?.slice('--only='.length);
const NODES = 1_000;
const WORKFLOWS = isQuick ? 10 : 100;
const BIZDATE = '2026-11-20';
const NOW = '2026-11-21T04:00:00Z';
const DUE = isQuick ? 5_000 : 50_000;
const IDLE_SECONDS = isQuick ? 10 : 60;
const TIMELINE_READS = 20;
/** With `--statements`: what the database spent its time on in each part. */
const isTelling = process.argv.includes('--statements');
const STATEMENT_SETTINGS = {
  shared_preload_libraries: 'pg_stat_statements',
  'pg_stat_statements.track_planning': 'on',
};

const figures = new Figures();
const say = (text) => process.stderr.write(`${text}\n`);

const { EmbeddedPostgresServer } = await import('../../src/embedded/postgres-server.ts');
const { freePort } = await import('../../src/embedded/free-port.ts');
const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
// The server runs under an account of its own and has to get in.
await chmod(folder, 0o755);
const server = await EmbeddedPostgresServer.start({
  port: await freePort(),
  password: randomBytes(12).toString('hex'),
  dataFolder: join(folder, 'postgres'),
  logFile: join(folder, 'postgres.log'),
  durable: true,
  ...(isTelling ? { settings: STATEMENT_SETTINGS } : {}),
});
try {
  const { host, port, user, password, socketFolder } = server;
  process.env.MILLRACE_TEST_SERVERS = JSON.stringify({
    postgres: { host, port, user, password, socketFolder, kind: 'postgres', name: 'postgres' },
  });
  const { Line } = await import('../support/line.ts');
  const common = {
    Line,
    bizdate: BIZDATE,
    day: { layered, submitMany },
    figures,
    using: using_,
    say,
  };
  const parts = {
    planning: () => planning(Line, [WORKFLOWS / 10, WORKFLOWS]),
    backfill: () => backfill(Line),
    'zero-load': () =>
      zeroLoad({ ...common, workflows: WORKFLOWS, agedRows: isQuick ? 30_000 : 3_000_000 }),
    due: () => dueAtOnce(Line),
    'due-in-order': () => dueInOrder({ ...common, instances: DUE }),
    'claim-loops': () => claimLoops({ ...common, instances: isQuick ? 500 : 10_000 }),
    'worker-run': () =>
      workerRun({ ...common, instances: isQuick ? 2_000 : 20_000, seconds: isQuick ? 4 : 20 }),
    idle: () => idle({ ...common, folder, seconds: IDLE_SECONDS }),
    timeline: () => timeline(),
    // Takes as long as all the others together: by name alone.
    'planning-million': () => planning(Line, [WORKFLOWS, WORKFLOWS * 10], 'million-'),
  };
  for (const [name, run] of Object.entries(parts)) {
    if (only === undefined ? name === 'planning-million' : only !== name) continue;
    await run();
    if (isTelling) await tellStatements(name, server);
  }
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'CPU'}, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}, embedded PostgreSQL with fsync`;
figures.print('scheduler', machine, isJson);

async function tellStatements(name, { host, port, user, password }) {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ host, port, user, password, database: 'postgres' });
  await client.connect();
  await client.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
  const { rows } = await client.query(
    `SELECT calls, rows, round(total_exec_time) AS run_ms, round(total_plan_time) AS plan_ms,
            wal_bytes, regexp_replace(left(query, 90), '\\s+', ' ', 'g') AS text
       FROM pg_stat_statements ORDER BY total_exec_time + total_plan_time DESC LIMIT 30`,
  );
  say(`statements of ${name}: calls, rows, ms running, ms planning, bytes of WAL`);
  for (const { calls, rows: count, run_ms, plan_ms, wal_bytes, text } of rows)
    say(
      [calls, count, run_ms, plan_ms, wal_bytes].map((n) => String(n).padStart(9)).join('') +
        `  ${text}`,
    );
  await client.query('SELECT pg_stat_statements_reset()');
  await client.end();
}

/** Layers of 40 nodes; each node but those of the first layer needs three of the layer before. */
function layered(type, nodes, more = {}) {
  return {
    ...more,
    nodes: Array.from({ length: nodes }, (_, at) => ({
      id: `node_${at}`,
      type,
      ...(type === 'shell' ? { config: { command: 'true' } } : {}),
      needs: [40, 41, 47].filter((back) => at >= back).map((back) => `node_${at - back}`),
    })),
  };
}

async function submitMany(line, count, spec, name = 'workflow') {
  for (let at = 0; at < count; at++) {
    const { workflowId } = await line.submit(`${name}_${at}`, spec);
    await line.database.run(
      'UPDATE workflow_version SET first_bizdate = $2 WHERE workflow_id = $1',
      [workflowId, BIZDATE],
    );
    if ((at + 1) % 25 === 0) say(`submitted ${at + 1} of ${count} workflows`);
  }
}

async function rowsOf(line) {
  const [row] = await line.database.rows(
    `SELECT (SELECT count(*)::int FROM node_instance) AS instances,
            (SELECT count(*)::int FROM instance_edge) AS edges,
            (SELECT count(*)::int FROM node_instance_detail) + (SELECT count(*)::int FROM due_instance)
              AS others`,
  );
  return row;
}

async function walBytes(line) {
  const [row] = await line.database.rows(
    `SELECT (pg_current_wal_insert_lsn() - '0/0')::float8 AS bytes`,
  );
  return row.bytes;
}

/** Stored versions to a planned and sealed day, and how the cost grows with ten times the work. */
async function planning(Line, [few, many], prefix = '') {
  const { sealPlans } = await import('../../src/store/sql/seal-plans.sql.ts');
  const perS = [];
  for (const workflows of [few, many]) {
    await using_(await Line.open({ now: NOW, timezone: 'UTC' }), async (line) => {
      await submitMany(line, workflows, layered('shell', NODES));
      let rss = 0;
      const sampler = setInterval(() => {
        rss = Math.max(rss, process.memoryUsage().rss);
      }, 20);
      const before = await walBytes(line);
      const start = performance.now();
      await line.generator.planDay(line.workspaceId, 'UTC', BIZDATE);
      const plannedMs = performance.now() - start;
      await sealPlans(line.database, line.workspaceId, 'UTC', BIZDATE, line.clock.now());
      const seconds = (performance.now() - start) / 1000;
      clearInterval(sampler);
      const { instances, edges, others } = await rowsOf(line);
      const wal = (await walBytes(line)) - before;
      perS.push(instances / seconds);
      say(
        `planned ${instances} instances, ${edges} edges in ${seconds.toFixed(2)} s, ` +
          `${(seconds - plannedMs / 1000).toFixed(2)} s of it for the seal`,
      );
      if (workflows !== many) return;
      figures.add(
        `${prefix}plan-per-s`,
        instances / seconds,
        '1/s',
        `${instances} instances, ${edges} edges`,
      );
      figures.add(
        `${prefix}plan-seal-ms`,
        seconds * 1000 - plannedMs,
        'ms',
        'of it, for the seal with its checksum',
      );
      figures.add(
        `${prefix}plan-rows-per-instance`,
        (instances + edges + others) / instances,
        '',
        'rows written for an instance, its edges, parameters and due time',
      );
      figures.add(
        `${prefix}plan-wal-bytes`,
        wal / instances,
        'B',
        'write-ahead log for each instance',
      );
      figures.add(
        `${prefix}plan-rss-mb`,
        rss / 2 ** 20,
        'MB',
        'greatest resident size of the process meanwhile',
      );
      figures.add(
        `${prefix}plan-growth-ratio`,
        perS[1] / perS[0],
        '',
        'instances a second with ten times the work, over those without',
      );
    });
  }
}

/** A year of a large workflow: shown, accepted, begun, made. */
async function backfill(Line) {
  const { makeDates } = await import('../../src/scheduler/backfill/make-backfill.ts');
  const dates = isQuick ? 36 : 365;
  const size = `${dates} dates x ${NODES} nodes`;
  await using_(await Line.open({ now: NOW, timezone: 'UTC' }), async (line) => {
    const { workflowId } = await line.submit('year', layered('shell', NODES));
    const from = new Date(Date.parse('2026-11-20T00:00:00Z') - (dates - 1) * 86_400_000);
    const order = {
      workspaceId: line.workspaceId,
      workflowId,
      ranges: [{ from: from.toISOString().slice(0, 10), to: '2026-11-20' }],
      order: 'asc',
      parallelism: 2,
    };
    const planning = performance.now();
    const { planToken } = await line.commands.planBackfill(order);
    figures.add('backfill-plan-ms', performance.now() - planning, 'ms', `plan shown, ${size}`);
    const start = performance.now();
    const since = (name, text) => figures.add(name, performance.now() - start, 'ms', text);
    await line.commands.createBackfill({ ...order, userId: null, name: 'year', planToken });
    since('backfill-accept-ms', `durably accepted, ${size}`);
    await line.release();
    const [{ ready }] = await line.database.rows(
      'SELECT count(*)::int AS ready FROM ready_instance',
    );
    if (ready === 0) throw new Error('nothing of the backfill is ready');
    since('backfill-first-ms', 'its first date is with the workers');
    const scenes = new Map();
    while ((await makeDates(line.database, line.clock.now(), scenes)) > 0);
    since('backfill-rows-ms', 'all of its instances and edges are there');
    const { instances } = await rowsOf(line);
    if (instances !== dates * NODES) throw new Error(`${instances} instances were made`);
  });
}

/** A minute into which very many fall. */
async function dueAtOnce(Line) {
  const { releaseRounds } = await import('../../src/scheduler/releaser.ts');
  await using_(await Line.open({ now: NOW, timezone: 'UTC' }), async (line) => {
    const spec = {
      schedule: { cron: '30 4 * * *' },
      nodes: Array.from({ length: NODES }, (_, at) => ({
        id: `node_${at}`,
        type: 'shell',
        config: { command: 'true' },
      })),
    };
    await submitMany(line, DUE / NODES, spec);
    await line.generator.planDay(line.workspaceId, 'UTC', BIZDATE);
    line.clock.set('2026-11-21T04:30:00Z');
    const { database, clock, wakeBus } = line;
    const release = releaseRounds({ database, clock, wakeBus, crashPoint: async () => undefined });
    const start = performance.now();
    while (await release());
    const ms = performance.now() - start;
    const [{ ready }] = await line.database.rows(
      'SELECT count(*)::int AS ready FROM ready_instance',
    );
    if (ready !== DUE) throw new Error(`${ready} of ${DUE} are ready`);
    figures.add(
      'due-50k-ready-ms',
      ms,
      'ms',
      `${DUE} instances due in one minute, all in the queue`,
    );
  });
}

/** The day as the console asks for it, over HTTP. */
async function timeline() {
  const { openApi } = await import('../support/api.ts');
  const { planDay } = await import('../support/planned-day.ts');
  const { FakeClock } = await import('../support/line.ts');
  await using_(await openApi(), async (api) => {
    const [{ id: workspaceId }] = await api.database.rows(
      `SELECT id FROM workspace WHERE name = 'finance'`,
    );
    const clock = new FakeClock(NOW);
    await planDay(
      { database: api.database, wakeBus: api.wakeBus, clock },
      Array.from({ length: WORKFLOWS }, (_, at) => ({
        workspaceId,
        workflow: `workflow_${at}`,
        spec: layered('shell', NODES),
        bizdate: BIZDATE,
      })),
    );
    await api.database.run('ANALYZE');
    const times = [];
    for (let at = 0; at < TIMELINE_READS; at++) {
      const start = performance.now();
      const response = await fetch(
        `${api.url}/api/v1/workspaces/finance/timeline?bizdate=${BIZDATE}`,
        { headers: { authorization: `Bearer ${api.token('visitor')}` } },
      );
      const { total } = await response.json();
      times.push(performance.now() - start);
      if (total !== WORKFLOWS * NODES) throw new Error(`the timeline has ${total} instances`);
    }
    figures.add(
      'timeline-p95-ms',
      percentile(times, 0.95),
      'ms',
      `${TIMELINE_READS} answers of the HTTP API over ${WORKFLOWS * NODES} instances; median ${Math.round(percentile(times, 0.5))}`,
    );
  });
}

async function using_(resource, work) {
  try {
    await work(resource);
  } finally {
    await resource[Symbol.asyncDispose]();
  }
}
