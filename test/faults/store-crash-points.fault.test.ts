import { openCuttingProxy } from '@millrace/testkit';
import { expect, test } from '@jest/globals';

import { Cluster } from '../support/cluster.js';
import {
  CRASH_SEED,
  CRASH_TIMEOUT_MS,
  DATES,
  DAYS,
  killAtPoint,
  KILLS,
} from '../support/crash-day.js';
import { DayLine, targetServer } from '../support/day-line.js';
import { brokenInvariants } from '../support/invariants.js';
import { seededNumbers } from '../support/seeded.js';
import { testServers } from '../support/servers.js';

test.each([
  { name: 'release:before-commit', passes: DAYS, in: 'scheduler' },
  { name: 'release:after-commit', passes: DAYS, in: 'scheduler' },
  { name: 'finish:before-release', passes: 2 * DAYS, in: 'api' },
  { name: 'finish:after-commit', passes: 2 * DAYS, in: 'api' },
] as const)(
  `after ${KILLS} kills at $name all days end green and the target has each row once`,
  killAtPoint,
  CRASH_TIMEOUT_MS,
);

test(
  `when ${KILLS} answers to COMMIT are lost on their way the days end green and the target has each row once`,
  async () => {
    const which = new Set(seededNumbers(CRASH_SEED, KILLS, DAYS).map((no) => no - 1));
    await using warehouse = await openCuttingProxy(testServers().postgres, 'COMMIT', { which });
    await using target = await openCuttingProxy(targetServer(), 'COMMIT', { which });
    await using cluster = await Cluster.open({ workers: 2, capacity: 2 });
    await using line = await DayLine.open(cluster, {
      through: { warehouse, target },
      // Nearly each COMMIT is cut: one instance may lose several in a row.
      retry: { max: 10 },
      limits: { retryMs: 100 },
    });
    await line.run(DATES);
    const instances = await cluster.untilDone();
    console.log(`COMMIT: seed ${CRASH_SEED}, cut ${warehouse.cuts()} and ${target.cuts()} times`);
    expect(warehouse.cuts()).toBe(KILLS);
    expect(target.cuts()).toBe(KILLS);
    expect(instances.filter((each) => each.status !== 'succeeded')).toEqual([]);
    expect(await line.targetRows()).toEqual(line.expectedRows());
    expect(await brokenInvariants(cluster.database)).toEqual([]);
  },
  CRASH_TIMEOUT_MS,
);
