import { expect, test } from '@jest/globals';

import { checkPlans } from '../../src/store/repositories/plan-repository.js';
import { Deploys } from '../support/chaos/deploys.js';
import { Cluster } from '../support/cluster.js';
import { brokenInvariants } from '../support/invariants.js';
import { planDifferences } from '../support/plan-oracle.js';
import { schedulerNames } from '../support/processes.js';

const WORKFLOWS = 10;
const ZONES = ['Asia/Shanghai', 'Pacific/Auckland', 'America/Los_Angeles'];
const POINTS = {
  'plan:before-commit': [2, 7, 19, 26],
  'plan:after-commit': [3, 14, 25],
  'seal:before-checksum': [1, 2],
  'seal:before-commit': [1, 3],
};
const SCHEDULERS = schedulerNames(2);
const MIN_PATCHES = 5;

test('schedulers that are killed while they plan and seal, and deploys meanwhile, leave the plans that the versions say', async () => {
  await using cluster = await Cluster.open({
    workers: 0,
    schedulers: SCHEDULERS.length,
    crashPoints: Object.entries(POINTS)
      .map(([name, hits]) => `${name}=kill@${hits.join('+')}`)
      .join(','),
    // From the first minute of a day the plan of the next one is due, and its seal.
    env: { MILLRACE_PLAN_CUTOFF: '00:00', MILLRACE_PLAN_SEAL: '00:01' },
  });
  const { database, processes } = cluster;
  const deploys = new Deploys(cluster);
  // Whatever is submitted after the first look of theirs is planned a day later.
  for (const name of SCHEDULERS) await processes.freeze(name);
  for (const zone of ZONES) await deploys.addZone(zone, WORKFLOWS);
  deploys.start();
  try {
    // What starts looks at once; otherwise once a minute.
    for (const name of SCHEDULERS) processes.kill(name);
    const kills = Object.values(POINTS).flat().length;
    const lives = (): number => SCHEDULERS.reduce((sum, name) => sum + processes.lives(name), 0);
    await cluster.until(
      90_000,
      `${kills} kills`,
      async () => lives() >= 2 * SCHEDULERS.length + kills,
    );
    await cluster.until(60_000, 'patches of the plans', async () => deploys.patches >= MIN_PATCHES);
    await cluster.until(90_000, 'the plans to be sealed', async () => {
      const plans = await database.rows<{ isSealed: boolean }>(
        `SELECT state = 'sealed' AND revision > 0 AND checksum IS NOT NULL AS "isSealed" FROM plan`,
      );
      return plans.length >= ZONES.length && plans.every(({ isSealed }) => isSealed);
    });
  } finally {
    await deploys.stop();
  }
  console.log(
    `planning: ${deploys.deploys} deploys, ${deploys.patches} patches, lives of the schedulers: ` +
      SCHEDULERS.map((name) => processes.lives(name)).join(' and '),
  );
  expect(await planDifferences(database)).toEqual([]);
  expect(await checkPlans(database)).toMatchObject({ changed: [] });
  expect(await brokenInvariants(database)).toEqual([]);
}, 300_000);
