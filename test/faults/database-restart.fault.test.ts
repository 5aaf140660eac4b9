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

/** `npm run test:chaos -- --outage 90` asks for more, under 50 syncs. */
const ASKED_SECONDS = Number(process.env['MILLRACE_TEST_OUTAGE'] ?? 0);
/** Fifty that start at once keep two cores busy for seconds. */
const LEASE_MS = ASKED_SECONDS > 0 ? 15_000 : 1500;
const OUTAGE_MS = Math.max(2 * LEASE_MS, ASKED_SECONDS * 1000);
const EXPORTS = ASKED_SECONDS > 0 ? 50 : 6;
const EXPORT_ROWS = 3000;
const ROW_BYTES = 12;
/** An export outlasts the outage, which is in its middle, by six seconds or the half of it. */
const BYTES_PER_SECOND = Math.round((EXPORT_ROWS * ROW_BYTES) / ((OUTAGE_MS / 1000) * 1.5 + 4));
const TIMEOUT_MS = 120_000 + 4 * OUTAGE_MS;

test(
  `PostgreSQL away for ${OUTAGE_MS / 1000} s, longer than a lease, costs none of ${EXPORTS} running syncs`,
  async () => {
    await using postgres = await OwnPostgres.start();
    await migrate(postgres.url);
    await using cluster = await Cluster.open({
      workers: 2,
      capacity: EXPORTS / 2 + 3,
      slots: EXPORTS + 6,
      leaseMs: LEASE_MS,
      databaseUrl: postgres.url,
    });
    await using line = await DayLine.open(cluster, {
      warehouse: postgres.login,
      retry: { max: 10 },
      limits: { retryMs: 500 },
    });
    await using target = await createDatabase(targetServer());
    await execute(target.server, `CREATE TABLE exported (node int, id int)`, target.name);
    const { host, port, user, password, kind } = target.server;
    const config = { host, port, user, password, database: target.name, tls: { mode: 'off' } };
    await cluster.addDataSource('elsewhere', kind, config);
    await writeExports(join(cluster.folder, 'files'));
    await cluster.runDays(await cluster.submit('exports', { nodes: exportNodes() }), [
      '2024-01-01',
    ]);
    await cluster.until(120_000, 'the exports to run', async () => {
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
    await sleep(OUTAGE_MS);
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
  },
  TIMEOUT_MS,
);

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
