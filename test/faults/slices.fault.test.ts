import { expect, test } from '@jest/globals';

import { encodeDayId } from '../../src/domain/ids.js';
import { Cluster } from '../support/cluster.js';
import type { InstanceOutcome } from '../support/cluster.js';
import { CRASH_SEED, CRASH_TIMEOUT_MS } from '../support/crash-day.js';
import { daysFrom } from '../support/day-line.js';
import { brokenInvariants } from '../support/invariants.js';
import { seeded, seededNumbers } from '../support/seeded.js';
import type { TestDatabase } from '../support/servers.js';
import { createDatabase, execute, mysqlTestServers, testServers } from '../support/servers.js';

/** `npm run test:chaos -- --kills 50` asks for more. */
const KILLS = Number(process.env['MILLRACE_TEST_KILLS'] ?? 5);
const WORKERS = ['w1', 'w2', 'w3', 'w4'];
const CHANNELS = 2;
const ROWS = 4000;
/** Some ten slices of it are committed. */
const MOST_NTH = 7;

/** Each ends the worker at chosen instances, at a hit of theirs that may be any of the first `upTo`. */
const POINTS = [
  { name: 'sync:slice-begun', upTo: MOST_NTH },
  { name: 'writer:chunk-written', upTo: MOST_NTH },
  { name: 'sync:slice-committed', upTo: MOST_NTH },
  { name: 'writer:before-commit', upTo: 1 },
  { name: 'writer:after-commit', upTo: 1 },
] as const;

const { mariadb, postgres } = testServers();
const servers = [postgres, ...mysqlTestServers().slice(0, 1)];
/** Each point has days of its own, in which one instance at least is not killed. */
const DAYS = Math.ceil((KILLS + 1) / servers.length);

/** One sync for each target: what it adds twice is there twice. */
function specOf(): object {
  const nodes = servers.map((server) => ({
    id: `to_${server.name}`,
    type: 'sync',
    config: {
      source: {
        dataSource: 'source',
        table: 'src',
        expressions: [{ name: 'ds', sql: "'${ds}'" }],
      },
      target: { dataSource: server.name, table: 'dst', mode: 'append' },
      channel: { concurrency: CHANNELS },
    },
  }));
  return { parameters: { ds: '$bizdate' }, nodes };
}

async function makeTables(source: TestDatabase, targets: readonly TestDatabase[]): Promise<void> {
  const rows = Array.from({ length: ROWS }, (_, n) => `(${n}, 'v${n}')`);
  // MyISAM has no snapshot, so that slices are not of one moment and a retry may go on with them.
  await execute(
    source.server,
    `CREATE TABLE src (id int PRIMARY KEY, v varchar(20)) ENGINE=MyISAM;
     INSERT INTO src VALUES ${rows.join()}; ANALYZE TABLE src`,
    source.name,
  );
  for (const { server, name } of targets) {
    await execute(server, 'CREATE TABLE dst (id int, v varchar(20), ds char(8))', name);
  }
}

/** The lines of its last attempt's log. */
async function logOf(cluster: Cluster, { plan_day, id }: InstanceOutcome): Promise<string> {
  const instance = encodeDayId('inst', { planDay: plan_day, id });
  return await (await cluster.send('GET', `/instances/${instance}/log`)).text();
}

(mariadb === undefined ? test.skip : test)(
  `after ${KILLS} kills at each point of a slice no row is lost or doubled, and one slice a channel is read again at most`,
  async () => {
    const random = seeded(CRASH_SEED);
    const perPoint = DAYS * servers.length;
    const plan = POINTS.map(({ name, upTo }, at) => {
      const which = seededNumbers(CRASH_SEED + at, KILLS, perPoint).map((n) => n + at * perPoint);
      return `${name}=kill@#${which.join('+')}/${1 + Math.floor(random() * upTo)}`;
    });
    await using cluster = await Cluster.open({
      workers: WORKERS.length,
      crashPoints: plan.join(','),
    });
    await using source = await createDatabase(mariadb ?? postgres);
    const targets = await Promise.all(servers.map((server) => createDatabase(server)));
    try {
      await makeTables(source, targets);
      for (const { server, name: database } of [source, ...targets]) {
        const { host, port, user, password } = server;
        const config = { host, port, user, password, database, tls: { mode: 'off' } };
        const name = database === source.name ? 'source' : server.name;
        await cluster.addDataSource(name, server.kind, config);
      }
      const workflow = await cluster.submit('slices', specOf());
      const kills = (): number =>
        WORKERS.reduce((sum, each) => sum + cluster.processes.lives(each) - 1, 0);
      const dates = daysFrom('2024-01-01', DAYS * POINTS.length);
      for (const [at, { name }] of POINTS.entries()) {
        const before = {
          begun: cluster.hits('sync:slice-begun'),
          done: cluster.hits('sync:slice-committed'),
        };
        const killed = kills();
        await cluster.runDays(workflow, dates.slice(at * DAYS, (at + 1) * DAYS));
        const instances = await cluster.untilDone();
        await cluster.until(30_000, `${KILLS} kills`, async () => kills() >= killed + KILLS);
        expect(instances.filter((each) => each.status !== 'succeeded')).toEqual([]);
        expect(kills() - killed).toBe(KILLS);
        const begun = cluster.hits('sync:slice-begun') - before.begun;
        const done = cluster.hits('sync:slice-committed') - before.done;
        console.log(
          `${name}: seed ${CRASH_SEED}, ${cluster.hits(name)} hits, ${KILLS} kills; ${begun} slices begun, ${done} committed`,
        );
        // Behind its commit a slice is not read again, though nobody has heard of it.
        expect(begun - done).toBeLessThanOrEqual(KILLS * CHANNELS);
      }
      const instances = await cluster.instances();
      expect(instances).toHaveLength(perPoint * POINTS.length);
      const logs = await Promise.all(instances.map((each) => logOf(cluster, each)));
      const resumed = logs.filter((log) => log.includes('Resumed: ')).length;
      // Killed at their first slice, or with nothing left to publish, some had nothing to go on with.
      expect(resumed).toBeGreaterThanOrEqual(2 * KILLS);
      for (const { server, name } of targets) {
        const found = await execute(
          server,
          `SELECT ds, count(*) AS n, count(DISTINCT id) AS ids FROM dst GROUP BY ds ORDER BY ds`,
          name,
        );
        expect(found.map((row) => [row['ds'], Number(row['n']), Number(row['ids'])])).toEqual(
          dates.map((date) => [date.replaceAll('-', ''), ROWS, ROWS]),
        );
        const left = await execute(
          server,
          `SELECT count(*) AS n FROM information_schema.tables WHERE table_name LIKE 'millrace_stg%'
              AND table_schema = '${server.kind === 'mysql' ? name : 'public'}'`,
          name,
        );
        expect(left.map((row) => Number(row['n']))).toEqual([0]);
      }
      expect(await brokenInvariants(cluster.database)).toEqual([]);
    } finally {
      await Promise.all(targets.map((target) => target[Symbol.asyncDispose]()));
    }
  },
  CRASH_TIMEOUT_MS * Math.max(1, KILLS / 5),
);
