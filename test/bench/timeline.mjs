import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

import { findDatabase } from '../../src/cli/find-database.js';
import { Database } from '../../src/store/database.js';
import { benchLogSearch } from './log-search.mjs';
import { Figures, percentile } from './timeline/figures.mjs';
import { openInstallation } from './timeline/installation.mjs';
import { apiOf, countsBySql, feed, frozenRoots, planDay, quiet } from './timeline/load.mjs';
import { openProxy } from './timeline/proxy.mjs';
import { countsOnScreen, openScreen, panFrames, watchFrames } from './timeline/screen.mjs';

const isJson = process.argv.includes('--json');
const isQuick = process.argv.includes('--quick');
const DAY_MS = 86_400_000;
const dateBefore = (days) => new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10);

// A root and its 99 are 101 events: thawed, and 100 that succeed.
const DAY = isQuick
  ? { workflows: 10, nodes: 100, cycles: 8, seconds: 10, perSecond: 500, cutAt: 3, cutFor: 2 }
  : { workflows: 125, nodes: 100, cycles: 8, seconds: 60, perSecond: 1000, cutAt: 25, cutFor: 10 };
const BARS = { workflows: isQuick ? 2 : 13, nodes: 100, cycles: 8 };
const REPEATS = 5;
const PAN_SECONDS = 4;
const LAST = 'a word in the last line';

const figures = new Figures();
const problems = [];
const say = (text) => process.stderr.write(`${text}\n`);

const installation = await openInstallation();
try {
  const { dataDir, home } = installation;
  const server = JSON.parse(readFileSync(join(dataDir, 'server.json'), 'utf8'));
  const token = readFileSync(server.tokenFile, 'utf8').trim();
  const api = apiOf({ url: installation.url, token });
  // The keyring of the installation lies under the home it was started with.
  process.env.HOME = home;
  const { url } = findDatabase(dataDir, process.env);
  const database = await Database.open({ url, applicationName: 'bench', poolSize: 2 });
  const proxy = await openProxy(installation.port);
  const screen = await openScreen(installation.link, `http://127.0.0.1:${proxy.port}`);
  try {
    await liveDay(api, database, screen, proxy);
    await manyBars(api, database, screen);
  } finally {
    await screen.close();
    proxy.close();
    await database[Symbol.asyncDispose]();
  }
} finally {
  await installation.close();
}
await sizes();
await logSearch();
const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'CPU'}, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}, Chromium headless without GPU`;
figures.print('timeline', machine, isJson);
say('not measured: dag-1000-layout-ms, dag-1000-pan-p95-ms (there is no DAG editor yet)');
if (problems.length > 0) {
  say(`\nwrong: ${problems.join('\n       ')}`);
  process.exitCode = 1;
}

/** A planned day on the screen while the engine works, with the connection cut in the middle. */
async function liveDay(api, database, screen, proxy) {
  const bizdate = dateBefore(3);
  const planned = DAY.workflows * DAY.nodes * DAY.cycles;
  await planDay(api, {
    ...DAY,
    bizdate,
    prefix: 'day',
    onProgress: progressOf(`planning ${planned} instances`),
  });
  await quiet(database);
  const roots = await frozenRoots(api, bizdate);
  await screen.timeline(`bizdate=${bizdate}`);
  say(`${roots.length} roots; ${DAY.perSecond} state changes a second for ${DAY.seconds} s`);
  const cuts = {};
  const timers = [
    setTimeout(() => {
      cuts.from = Date.now();
      proxy.cut();
    }, DAY.cutAt * 1000),
    setTimeout(() => proxy.mend(), (DAY.cutAt + DAY.cutFor) * 1000),
  ];
  const watch = await watchFrames(screen.page);
  const fed = await feed(api, database, {
    roots,
    changesPerRoot: DAY.nodes + 1,
    perSecond: DAY.perSecond,
    seconds: DAY.seconds,
  });
  for (const timer of timers) clearTimeout(timer);
  proxy.mend();
  const { frames, delays } = await watch.stop();
  await quiet(database);
  await sameCounts(screen, database, bizdate);
  // What happened while the connection was cut could not be seen before it was back.
  const backAt = cuts.from + DAY.cutFor * 1000;
  const caughtUp = delays.find(({ on, ms }) => on > backAt && ms < 1_000)?.on ?? backAt;
  const live = delays.filter(({ on }) => on < cuts.from || on > caughtUp);
  figures.add(
    'state-changes-per-s',
    fed.perSecond,
    '1/s',
    `${fed.changes} events of the engine in ${fed.seconds.toFixed(1)} s, ${planned} instances planned`,
  );
  figures.add(
    'event-to-screen-ms',
    percentile(
      live.map(({ ms }) => ms),
      0.95,
    ),
    'ms',
    `p95 of ${live.length} drawn changes, engine clock to frame, without the cut`,
  );
  figures.add(
    'catch-up-ms',
    caughtUp - backAt,
    'ms',
    `after ${DAY.cutFor} s without a connection, until changes are on the screen within 1 s`,
  );
  figures.add(
    'live-frame-p95-ms',
    percentile(frames, 0.95),
    'ms',
    `p95 of ${frames.length} frames during it`,
  );
}

/** The screen and SQL must say the same, when all events are out. */
async function sameCounts(screen, database, bizdate) {
  const wanted = await countsBySql(database, bizdate);
  let shown = {};
  for (let left = 40; left > 0; left--) {
    shown = await countsOnScreen(screen.page);
    if (isSame(shown, wanted))
      return say(`counts on the screen equal SQL: ${JSON.stringify(wanted)}`);
    await sleep(250);
  }
  problems.push(
    `counts differ: on the screen ${JSON.stringify(shown)}, by SQL ${JSON.stringify(wanted)}`,
  );
}

function isSame(shown, wanted) {
  const states = new Set([...Object.keys(shown), ...Object.keys(wanted)]);
  return [...states].every((state) => (shown[state] ?? 0) === (wanted[state] ?? 0));
}

/** Ten thousand bars: how soon they are seen, and how they move. */
async function manyBars(api, database, screen) {
  const bizdate = dateBefore(5);
  await planDay(api, {
    ...BARS,
    bizdate,
    prefix: 'bars',
    onProgress: progressOf('planning the bars'),
  });
  const roots = await frozenRoots(api, bizdate);
  await feed(api, database, {
    roots,
    changesPerRoot: BARS.nodes + 1,
    perSecond: 5_000,
    seconds: 120,
  });
  await quiet(database);
  const paints = [];
  for (let at = 0; at < REPEATS; at++) {
    await screen.timeline(`bizdate=${bizdate}&lod=bars`);
    paints.push(
      await screen.page.evaluate(() => {
        const { marks } = window.__millraceTimeline;
        return marks.firstPaintAt - marks.dataAt;
      }),
    );
  }
  const total = BARS.workflows * BARS.nodes * BARS.cycles;
  figures.add(
    'first-paint-ms',
    percentile(paints, 0.5),
    'ms',
    `median of ${REPEATS} loads of ${total} bars, answer read to first frame (max ${Math.round(Math.max(...paints))})`,
  );
  const frames = await panFrames(screen.page, PAN_SECONDS);
  figures.add(
    'pan-p95-ms',
    percentile(frames, 0.95),
    'ms',
    `p95 of ${frames.length} frames while dragging ${total} bars`,
  );
}

async function sizes() {
  const manifest = JSON.parse(readFileSync('web/dist/.vite/manifest.json', 'utf8'));
  const filesOf = (key, seen = new Set()) => {
    seen.add(manifest[key].file);
    for (const each of manifest[key].imports ?? []) filesOf(each, seen);
    return seen;
  };
  const kb = (files) =>
    files.reduce(
      (sum, file) => sum + gzipSync(readFileSync(`web/dist/${file}`), { level: 9 }).length,
      0,
    ) / 1024;
  const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);
  const shell = filesOf(entry);
  const timeline = [...filesOf('src/features/timeline/timeline-page.tsx')].filter(
    (file) => !shell.has(file),
  );
  figures.add('shell-js-gz-kb', kb([...shell]), 'KB', 'scripts before the first page, gzip -9');
  figures.add('timeline-js-gz-kb', kb(timeline), 'KB', 'scripts the timeline adds, gzip -9');
}

/** The slowest of the searches counts; what is in the last line alone is found when all has been read. */
async function logSearch() {
  const lines = isQuick ? 200_000 : 5_000_000;
  const searches = await benchLogSearch({ lines, log: (text) => process.stderr.write(text) });
  const early = searches.filter((search) => search.name !== LAST);
  const late = searches.filter((search) => search.name === LAST);
  const add = (name, among, key, what) => {
    const [slowest] = among.toSorted((a, b) => b[key] - a[key]);
    figures.add(
      name,
      slowest[key],
      'ms',
      `${what} in ${lines} lines; the slowest of ${among.length}: ${slowest.name}, in ${slowest.place}`,
    );
  };
  add('log-search-first-hit-ms', early, 'firstHitMs', 'until the first line is found');
  add('log-search-last-line-ms', late, 'firstHitMs', 'until it is found');
  add('log-search-ms', searches, 'fullCountMs', 'until all are counted');
}

function progressOf(what) {
  let shown = -1;
  return (share) => {
    const tenth = Math.floor(share * 10);
    if (tenth !== shown) say(`${what}: ${tenth * 10} %`);
    shown = tenth;
  };
}
