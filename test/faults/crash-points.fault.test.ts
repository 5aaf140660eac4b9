import { openCuttingProxy } from '@millrace/testkit';
import { expect, test } from '@jest/globals';

import { Cluster } from '../support/cluster.js';
import { DayLine, daysFrom, targetServer } from '../support/day-line.js';
import { brokenInvariants } from '../support/invariants.js';
import { seededNumbers, testSeed } from '../support/seeded.js';
import { testServers } from '../support/servers.js';

const KILLS = 20;
const DAYS = 24;
const DATES = daysFrom('2024-01-01', DAYS);
const SEED = testSeed();
const TIMEOUT_MS = 150_000;

/**
 * The named points, and how many instances or (in processes that are alone in their role) hits 24 days of
 * load -> insert_data -> write_result bring to each at least. `load` waits for its time, so each day
 * passes the releaser once.
 */
const POINTS = [
  { name: 'release:before-commit', passes: DAYS, in: 'scheduler' },
  { name: 'release:after-commit', passes: DAYS, in: 'scheduler' },
  { name: 'sql:before-commit', passes: DAYS, in: 'worker' },
  { name: 'sql:after-commit', passes: DAYS, in: 'worker' },
  { name: 'writer:before-ledger', passes: 2 * DAYS, in: 'worker' },
  { name: 'writer:after-commit', passes: 2 * DAYS, in: 'worker' },
  { name: 'sync:before-finalize', passes: 2 * DAYS, in: 'worker' },
  { name: 'worker:before-finish', passes: 3 * DAYS, in: 'worker' },
  { name: 'worker:after-finish', passes: 3 * DAYS, in: 'worker' },
  { name: 'finish:before-release', passes: 2 * DAYS, in: 'api' },
  { name: 'finish:after-commit', passes: 2 * DAYS, in: 'api' },
] as const;

test.each(POINTS)(
  `after ${KILLS} kills at $name all days end green and the target has each row once`,
  async ({ name, passes, in: where }) => {
    const which = seededNumbers(SEED, KILLS, passes).join('+');
    await using cluster = await Cluster.open({
      workers: 3,
      crashPoints: `${name}=kill@${where === 'worker' ? '#' : ''}${which}`,
      // While the api is away nobody can renew: its restart must fit into a lease.
      ...(where === 'api' ? { leaseMs: 6000 } : {}),
    });
    await using line = await DayLine.open(cluster);
    for (const days of where === 'scheduler' ? oneByOne(DATES) : [DATES]) {
      await line.run(days);
      if (where === 'scheduler') await cluster.untilReleased();
    }
    const instances = await cluster.untilDone();
    const victims = where === 'worker' ? ['w1', 'w2', 'w3'] : [where];
    const kills = (): number =>
      victims.reduce((sum, each) => sum + cluster.processes.lives(each) - 1, 0);
    // A point after the commit kills when the day may be seen as done already.
    await cluster.until(10_000, `${KILLS} kills`, async () => kills() >= KILLS);
    console.log(`${name}: seed ${SEED}, ${cluster.hits(name)} hits, ${kills()} kills`);
    expect(kills()).toBe(KILLS);
    expect(instances).toHaveLength(3 * DAYS);
    expect(instances.filter((each) => each.status !== 'succeeded')).toEqual([]);
    expect(await line.targetRows()).toEqual(line.expectedRows());
    expect(await brokenInvariants(cluster.database)).toEqual([]);
  },
  TIMEOUT_MS,
);

test(
  `when ${KILLS} answers to COMMIT are lost on their way the days end green and the target has each row once`,
  async () => {
    const which = new Set(seededNumbers(SEED, KILLS, DAYS).map((no) => no - 1));
    await using warehouse = await openCuttingProxy(testServers().postgres, 'COMMIT', { which });
    await using target = await openCuttingProxy(targetServer(), 'COMMIT', { which });
    await using cluster = await Cluster.open({ workers: 2, capacity: 2 });
    await using line = await DayLine.open(cluster, {
      through: { warehouse, target },
      retry: { max: 2, intervalMs: 100 },
    });
    await line.run(DATES);
    const instances = await cluster.untilDone();
    console.log(`COMMIT: seed ${SEED}, cut ${warehouse.cuts()} and ${target.cuts()} times`);
    expect(warehouse.cuts()).toBe(KILLS);
    expect(target.cuts()).toBe(KILLS);
    expect(instances.filter((each) => each.status !== 'succeeded')).toEqual([]);
    expect(await line.targetRows()).toEqual(line.expectedRows());
    expect(await brokenInvariants(cluster.database)).toEqual([]);
  },
  TIMEOUT_MS,
);

/** A scheduler that comes back releases all that has fallen due at once: so the days come one at a time. */
function oneByOne(dates: readonly string[]): string[][] {
  return dates.map((date) => [date]);
}
