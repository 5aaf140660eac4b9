import { expect } from '@jest/globals';

import { Cluster } from './cluster.js';
import { DayLine, daysFrom } from './day-line.js';
import { brokenInvariants } from './invariants.js';
import { seededNumbers, testSeed } from './seeded.js';

/** Of `npm test`; `npm run test:full` and `npm run test:chaos -- --kills N` ask for more. */
export const KILLS = Number(process.env['MILLRACE_TEST_KILLS'] ?? 5);
/** Business dates of one test. */
export const DAYS = KILLS + 4;
export const DATES = daysFrom('2024-01-01', DAYS);
export const CRASH_SEED = testSeed();
export const CRASH_TIMEOUT_MS = 15_000 * Math.max(20, KILLS);

export interface CrashPointCase {
  readonly name: string;
  /**
   * How many instances or (in processes that are alone in their role) hits the days of load -> insert_data
   * -> write_result bring to it at least. `load` waits for its time, so each day passes the releaser once.
   */
  readonly passes: number;
  readonly in: 'scheduler' | 'worker' | 'api';
}

/** Kills a process {@link KILLS} times at the point; all days must end green and the target have each row once. */
export async function killAtPoint({ name, passes, in: where }: CrashPointCase): Promise<void> {
  const which = seededNumbers(CRASH_SEED, KILLS, passes).join('+');
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
  await cluster.until(30_000, `${KILLS} kills`, async () => kills() >= KILLS);
  console.log(`${name}: seed ${CRASH_SEED}, ${cluster.hits(name)} hits, ${kills()} kills`);
  expect(kills()).toBe(KILLS);
  expect(instances).toHaveLength(3 * DAYS);
  expect(instances.filter((each) => each.status !== 'succeeded')).toEqual([]);
  expect(await line.targetRows()).toEqual(line.expectedRows());
  expect(await brokenInvariants(cluster.database)).toEqual([]);
}

/** A scheduler that comes back releases all that has fallen due at once: so the days come one at a time. */
function oneByOne(dates: readonly string[]): string[][] {
  return dates.map((date) => [date]);
}
