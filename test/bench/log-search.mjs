import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

const LINES = 5_000_000;
const WORDS = ['orders', 'customers', 'payments', 'refunds', 'shipments', 'invoices'];

/**
 * A run log of `lines` lines (62 bytes each, so above the 50 MB that a worker keeps of one attempt: the cap
 * is lifted, all else is as in a run) is written by a worker's own shipper over the worker link into
 * PostgreSQL, moved to the log store as the scheduler does, and searched over HTTP through the api.
 * Gives milliseconds to the first hit and to the full count for words in few, some and all lines, an
 * expression and a level. The threads of search are those of the build in dist/.
 */
export async function benchLogSearch({ lines = LINES, log = () => undefined } = {}) {
  const { EmbeddedPostgresServer } = await import('../../src/embedded/postgres-server.ts');
  const { freePort } = await import('../../src/embedded/free-port.ts');
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  // The server runs under an account of its own and has to get in.
  await chmod(folder, 0o755);
  const login = { port: await freePort(), password: randomBytes(12).toString('hex') };
  const server = await EmbeddedPostgresServer.start({
    ...login,
    dataFolder: join(folder, 'postgres'),
    logFile: join(folder, 'postgres.log'),
    durable: false,
  });
  try {
    const { host, port, user, password } = server;
    const postgres = { host, port, user, password, kind: 'postgres', name: 'postgres' };
    process.env['MILLRACE_TEST_SERVERS'] = JSON.stringify({ postgres });
    return await measured(join(folder, 'logs'), lines, log);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measured(logFolder, lines, log) {
  const { FolderLogStore } = await import('../../src/store/log-store.ts');
  const { archiveLogs } = await import('../../src/store/sql/archive-logs.sql.ts');
  const { openApi } = await import('../support/api.ts');
  const { openRunLog } = await import('../support/run-log.ts');
  const logStore = new FolderLogStore(logFolder);
  const api = await openApi({ logStore });
  try {
    return await measuredOn(api, { logStore, archiveLogs, openRunLog }, lines, log);
  } finally {
    await api[Symbol.asyncDispose]();
  }
}

async function measuredOn(api, { logStore, archiveLogs, openRunLog }, lines, log) {
  const runLog = await openRunLog(api, { maxBytes: Number.MAX_SAFE_INTEGER });
  const counts = await write(runLog, lines);
  const [size] = await api.database.rows(
    `SELECT count(*)::int AS chunks, sum(byte_count)::float8 AS bytes, sum(length(body))::float8 AS stored
       FROM log_chunk`,
  );
  log(
    `${lines} lines in ${size.chunks} chunks, ${mb(size.bytes)} MB, ${mb(size.stored)} MB stored\n`,
  );
  const path = `/api/v1/instances/${runLog.instance}/log/search`;
  const figures = [];
  for (const place of ['rows', 'objects']) {
    if (place === 'objects') await archiveLogs(api.database, logStore, -60_000, 10);
    for (const { name, query, count } of searchesOf(counts)) {
      const figure = { place, name, ...(await timed(api, `${path}?${query}`)) };
      if (figure.count !== count) throw new Error(`${name}: ${figure.count} lines, not ${count}`);
      figures.push(figure);
      log(
        `${place} ${name}: first hit ${figure.firstHitMs} ms, full count ${figure.fullCountMs} ms ` +
          `(${figure.count} lines, api blocked at most ${figure.blockedMs} ms)\n`,
      );
    }
  }
  return figures;
}

function searchesOf({ lines, errors, payments }) {
  return [
    { name: 'a word in few lines', query: 'q=MR-D2', count: errors },
    { name: 'a word in a sixth, case folded', query: 'q=PAYMENTS', count: payments },
    { name: 'a word in all lines', query: 'q=table&case=1', count: lines },
    { name: 'a word in the last line', query: 'q=batch%20999999999', count: 1 },
    { name: 'an expression', query: 'regex=1&q=MR-D2%5Cd%5Cd', count: errors },
    { name: 'a level', query: 'level=error', count: errors },
  ];
}

async function write(runLog, lines) {
  const counts = { lines, errors: 0, payments: 0 };
  let block = '';
  for (let i = 0; i < lines; i++) {
    const stamp = new Date(1_795_000_000_000 + i * 7).toISOString();
    const isError = i % 50_000 === 40_000;
    const word = WORDS[(i * 7919) % WORDS.length];
    if (isError) counts.errors++;
    if (word === 'payments') counts.payments++;
    const batch = i === lines - 1 ? 999_999_999 : (i * 2_654_435_761) % 900_000;
    block += `${stamp} ${isError ? 'ERROR MR-D201' : 'INFO '} table ${word} batch ${batch}\n`;
    if (block.length < 262_144) continue;
    await runLog.write(block);
    block = '';
  }
  await runLog.write(block);
  await runLog.end();
  return counts;
}

async function timed(api, path) {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  const start = performance.now();
  const response = await fetch(api.url + path, {
    headers: { authorization: `Bearer ${api.token('visitor')}` },
  });
  delay.enable();
  const decoder = new TextDecoder();
  let firstHitMs;
  let tail = '';
  for await (const bytes of response.body) {
    const text = decoder.decode(bytes, { stream: true });
    tail = (tail + text).slice(-4000);
    if (firstHitMs === undefined && text.includes('"hit"'))
      firstHitMs = Math.round(performance.now() - start);
  }
  const fullCountMs = Math.round(performance.now() - start);
  delay.disable();
  const last = JSON.parse(tail.trim().split('\n').at(-1));
  if (last.done !== true) throw new Error(`the search ended with ${JSON.stringify(last)}`);
  return { firstHitMs, fullCountMs, count: last.count, blockedMs: Math.round(delay.max / 1e6) };
}

const mb = (bytes) => (bytes / 1024 ** 2).toFixed(0);

if (process.argv[2] === 'log-search') {
  const lines = Number(process.argv[3] ?? LINES);
  await benchLogSearch({ lines, log: (text) => process.stdout.write(text) });
}
