import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';

import { backfill } from './scheduler/backfill.mjs';
import { dueAtOnce } from './scheduler/due-at-once.mjs';
import { dueInOrder } from './scheduler/due.mjs';
import { growth } from './scheduler/growth.mjs';
import { idle } from './scheduler/idle.mjs';
import { timeline } from './scheduler/timeline.mjs';
import { claimLoops, workerRun } from './scheduler/worker-run.mjs';
import { zeroLoad } from './scheduler/zero-load.mjs';
import { Figures } from './timeline/figures.mjs';

const isJson = process.argv.includes('--json');
const isQuick = process.argv.includes('--quick');
const only = process.argv.find((each) => each.startsWith('--only='))?.slice('--only='.length);
const NODES = 1_000;
const WORKFLOWS = isQuick ? 10 : 100;
const BIZDATE = '2026-11-20';
const NOW = '2026-11-21T04:00:00Z';
const DUE = isQuick ? 5_000 : 50_000;
const IDLE_SECONDS = isQuick ? 10 : 60;
const DATES = isQuick ? 36 : 365;
const BY_NAME = ['planning-million', 'growth'];
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
    day: { layered, submitMany, nodes: NODES },
    now: NOW,
    figures,
    using: using_,
    say,
  };
  const parts = {
    planning: () => planning(Line, [WORKFLOWS / 10, WORKFLOWS]),
    backfill: () => backfill({ ...common, dates: DATES }),
    'zero-load': () =>
      zeroLoad({ ...common, workflows: WORKFLOWS, agedRows: isQuick ? 30_000 : 3_000_000 }),
    due: () => dueAtOnce({ ...common, instances: DUE }),
    'due-in-order': () => dueInOrder({ ...common, instances: DUE }),
    'claim-loops': () => claimLoops({ ...common, instances: isQuick ? 500 : 10_000 }),
    'worker-run': () =>
      workerRun({ ...common, instances: isQuick ? 2_000 : 20_000, seconds: isQuick ? 4 : 20 }),
    idle: () => idle({ ...common, folder, seconds: IDLE_SECONDS }),
    timeline: () => timeline({ ...common, workflows: WORKFLOWS }),
    // These take as long as all the others together: by name alone.
    growth: () =>
      growth({
        ...common,
        dates: Math.round(DATES / 10),
        instances: DUE / 10,
        workflows: WORKFLOWS / 10,
      }),
    'planning-million': () => planning(Line, [WORKFLOWS, WORKFLOWS * 10], 'million-'),
  };
  if (only !== undefined && !(only in parts)) {
    say(`There is no part ${JSON.stringify(only)}. Choose: ${Object.keys(parts).join(', ')}.`);
    process.exitCode = 2;
  }
  for (const [name, run] of Object.entries(parts)) {
    if (only === undefined ? BY_NAME.includes(name) : only !== name) continue;
    await run();
    if (isTelling) await tellStatements(name, server);
  }
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'CPU'}, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}, embedded PostgreSQL with fsync`;
if (process.exitCode !== 2) figures.print('scheduler', machine, isJson);

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
      await sealPlans(
        line.database,
        line.workspaceId,
        'UTC',
        BIZDATE,
        line.clock.now(),
        async () => undefined,
      );
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

async function using_(resource, work) {
  try {
    await work(resource);
  } finally {
    await resource[Symbol.asyncDispose]();
  }
}
