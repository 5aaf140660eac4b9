import { LINEITEM } from './lineitem.mjs';

const FIRST_DAY = Date.UTC(2020, 0, 1);
const POLL_MS = 100;

/** Real worker processes and a real api, with the two servers as data sources; `sources` has their ids. */
export async function openBenchCluster(servers, { workers, capacity }) {
  process.env.MILLRACE_TEST_SERVERS = JSON.stringify({ postgres: servers.postgres });
  const { Cluster } = await import('../../support/cluster.ts');
  // Leases as they are without a setting: tests renew every 300 ms.
  const cluster = await Cluster.open({ workers, capacity, leaseMs: 30_000, renewMs: 5000 });
  try {
    const sources = {};
    for (const end of [servers.postgres, servers.mysql])
      sources[end.kind] = await cluster.addDataSource(
        end.kind,
        end.kind,
        loginOf(end, LINEITEM.database),
      );
    return Object.assign(cluster, { sources });
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
}

/** The business date of the nth run. */
export function dayOf(n) {
  return new Date(FIRST_DAY + n * 86_400_000).toISOString().slice(0, 10);
}

/** The configuration of a data source. */
export function loginOf({ host, port, user, password }, database) {
  return { host, port, user, password, database, tls: { mode: 'prefer' } };
}

/** One instance for each of so many business dates, in this order. */
export async function runAll(cluster, id, count) {
  const days = Array.from({ length: count }, (_, n) => dayOf(n));
  await cluster.runDays(id, days);
  const all = await cluster.untilDone(3_600_000, POLL_MS);
  const failed = all.find((each) => each.status !== 'succeeded');
  if (failed !== undefined) throw new Error(`${failed.node}: ${failed.errors}`);
}
