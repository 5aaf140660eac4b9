import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect, test } from '@jest/globals';

import { migrate } from '../../src/store/run-migrations.js';
import { Cluster } from '../support/cluster.js';
import { DayLine, daysFrom, targetServer } from '../support/day-line.js';
import { brokenInvariants } from '../support/invariants.js';
import { OwnPostgres } from '../support/own-postgres.js';
import { createDatabase, execute } from '../support/servers.js';

const EXPORTS = 6;
/** At the rate limit below an export takes about eight seconds, so the outage is in its middle. */
const EXPORT_ROWS = 3000;
const BYTES_PER_SECOND = 4000;
const LEASE_MS = 1500;

test('PostgreSQL restarted under load, away for longer than a lease, costs no running sync', async () => {
  await using postgres = await OwnPostgres.start();
  await migrate(postgres.url);
  await using cluster = await Cluster.open({
    workers: 2,
    capacity: 6,
    leaseMs: LEASE_MS,
    databaseUrl: postgres.url,
  });
  await using line = await DayLine.open(cluster, {
    warehouse: postgres.login,
    retry: { max: 10, intervalMs: 500 },
  });
  await using target = await createDatabase(targetServer());
  await execute(target.server, `CREATE TABLE exported (node int, id int)`, target.name);
  const { host, port, user, password, kind } = target.server;
  const config = { host, port, user, password, database: target.name, tls: { mode: 'off' } };
  await cluster.addDataSource('elsewhere', kind, config);
  await writeExports(join(cluster.folder, 'files'));
  await cluster.runDays(await cluster.submit('exports', { nodes: exportNodes() }), ['2024-01-01']);
  await cluster.until(20_000, 'the exports to run', async () => {
    const [row] = await cluster.database.rows<{ n: number }>(
      `SELECT count(*)::int AS n FROM node_instance WHERE status = 'running'`,
    );
    return row?.n === EXPORTS;
  });
  await line.run(daysFrom('2024-02-01', 12));
  await cluster.until(
    20_000,
    'a first day to end',
    async () => (await line.targetRows()).length > 0,
  );

  await postgres.server.stop();
  await sleep(2 * LEASE_MS);
  await postgres.startAgain();

  const instances = await cluster.untilDone();
  expect(instances.filter((each) => each.status !== 'succeeded')).toEqual([]);
  expect(instances.filter((each) => each.lost_leases > 0)).toEqual([]);
  const exports = instances.filter((each) => each.node.startsWith('export'));
  expect(exports.map((each) => each.epoch)).toEqual(Array.from({ length: EXPORTS }, () => 1));
  expect(await line.targetRows()).toEqual(line.expectedRows());
  const counted = await execute(
    target.server,
    `SELECT node, count(*) AS n, count(DISTINCT id) AS ids FROM exported GROUP BY node ORDER BY node`,
    target.name,
  );
  expect(counted.map((row) => [row['node'], Number(row['n']), Number(row['ids'])])).toEqual(
    Array.from({ length: EXPORTS }, (_, no) => [no, EXPORT_ROWS, EXPORT_ROWS]),
  );
  expect(['api', 'scheduler', 'w1', 'w2'].map((each) => cluster.processes.lives(each))).toEqual([
    1, 1, 1, 1,
  ]);
  expect(await brokenInvariants(cluster.database)).toEqual([]);
}, 120_000);

async function writeExports(folder: string): Promise<void> {
  for (let no = 0; no < EXPORTS; no++) {
    const rows = Array.from({ length: EXPORT_ROWS }, (_, id) => `${no},${1_000_000_000 + id}`);
    await writeFile(join(folder, `export-${no}.csv`), `node,id\n${rows.join('\n')}\n`);
  }
}

function exportNodes(): object[] {
  return Array.from({ length: EXPORTS }, (_, no) => ({
    id: `export_${no}`,
    type: 'sync',
    config: {
      source: { dataSource: 'files', path: `export-${no}.csv` },
      target: { dataSource: 'elsewhere', table: 'exported', mode: 'append' },
      channel: { rateLimit: { bytesPerSecond: BYTES_PER_SECOND } },
    },
  }));
}
