import { expect, test } from '@jest/globals';

import { Cluster } from '../support/cluster.js';
import { brokenInvariants } from '../support/invariants.js';
import { makeOld, tablesOfDay } from '../support/old-day.js';
import { schedulerNames } from '../support/processes.js';

const POINTS = { 'retention:marked': [1], 'retention:removed': [1, 4, 9] };
const SCHEDULERS = schedulerNames(2);

test('schedulers that are killed while they remove old days leave none of them behind, and all of the others', async () => {
  await using cluster = await Cluster.open({
    workers: 0,
    schedulers: SCHEDULERS.length,
    crashPoints: Object.entries(POINTS)
      .map(([name, hits]) => `${name}=kill@${hits.join('+')}`)
      .join(','),
  });
  const { database, processes } = cluster;
  const workflow = await cluster.submit('w', {
    nodes: [
      { id: 'a', type: 'virtual', config: {}, selfDependence: true },
      { id: 'b', type: 'virtual', config: {}, needs: ['a'] },
    ],
  });
  const old: string[] = [];
  for (const [no, daysAgo] of [40, 35, 0].entries()) {
    await cluster.runDays(workflow, [`2024-01-0${no + 1}`]);
    await cluster.untilDone();
    if (daysAgo > 0) old.push(await makeOld(database, daysAgo));
  }
  // What starts looks at once; otherwise every ten minutes.
  for (const name of SCHEDULERS) processes.kill(name);
  const kills = SCHEDULERS.length + Object.values(POINTS).flat().length;
  const lives = (): number => SCHEDULERS.reduce((sum, name) => sum + processes.lives(name), 0);
  await cluster.until(60_000, 'the old days to be gone', async () => {
    const left = await Promise.all(old.map((day) => tablesOfDay(database, day)));
    return left.flat().length === 0 && lives() >= SCHEDULERS.length + kills;
  });
  expect(lives()).toBe(SCHEDULERS.length + kills);
  const removed = await database.rows<{ day: string }>(
    'SELECT plan_day AS day FROM removed_day ORDER BY 1',
  );
  expect(removed.map(({ day }) => day)).toEqual(old);
  await cluster.runDays(workflow, ['2024-01-04']);
  const left = await cluster.untilDone();
  expect(left.map(({ node, bizdate, status }) => `${bizdate} ${node} ${status}`)).toEqual([
    '2024-01-03 a succeeded',
    '2024-01-03 b succeeded',
    '2024-01-04 a succeeded',
    '2024-01-04 b succeeded',
  ]);
  expect(await brokenInvariants(database)).toEqual([]);
}, 180_000);
