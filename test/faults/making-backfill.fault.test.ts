import { expect, test } from '@jest/globals';

import { Cluster } from '../support/cluster.js';
import { brokenInvariants } from '../support/invariants.js';
import { schedulerNames } from '../support/processes.js';

const DATES = 14;
/** 864 instances a day in two workflows: three of the dates are made when the backfill is accepted. */
const EVERY_FIVE_MINUTES = { schedule: { period: { every: 'minute', step: 5 } } };
const A_DAY = 864;
const POINT = 'backfill:date-made';

test('two schedulers, killed again and again while they make a backfill, make each of its instances once', async () => {
  // Without workers: nothing but the making takes time.
  await using cluster = await Cluster.open({
    workers: 0,
    schedulers: 2,
    crashPoints: `${POINT}=kill@1+3+4`,
  });
  await cluster.submit('fine', {
    ...EVERY_FIVE_MINUTES,
    nodes: [
      { id: 'first', type: 'shell', config: { command: 'true' }, selfDependence: true },
      { id: 'second', type: 'shell', config: { command: 'true' }, needs: ['first'] },
    ],
  });
  await cluster.submit('after', {
    ...EVERY_FIVE_MINUTES,
    nodes: [
      {
        id: 'third',
        type: 'shell',
        config: { command: 'true' },
        needs: [{ workflow: 'fine', node: 'second' }],
      },
    ],
  });
  const path = '/workspaces/sample/backfills';
  const request = {
    workflow: 'fine',
    name: 'b',
    from: '2024-01-01',
    to: '2024-01-14',
    scope: { mode: 'chain', from: ['first'], to: ['after/third'], acrossWorkflows: true },
  };
  const answer = await cluster.send('POST', path, { ...request, parallelism: 3 });
  const { id, instances } = (await answer.json()) as { id: string; instances: number };
  expect(instances).toBe(DATES * A_DAY);
  await cluster.until(180_000, 'the backfill to be made', async () => {
    const shown = await cluster.send('GET', `${path}/${id}`);
    return ((await shown.json()) as { made: number }).made === DATES;
  });
  const kills = schedulerNames(2).reduce((sum, name) => sum + cluster.processes.lives(name) - 1, 0);
  expect(kills).toBe(3);
  const days = await cluster.database.rows<{ n: number; chained: number; same: number }>(
    `SELECT count(*)::int AS n,
            (SELECT count(*)::int FROM instance_edge e JOIN node_instance d ON d.id = e.downstream_id
              WHERE d.bizdate = i.bizdate AND e.kind = 'self_previous') AS chained,
            (SELECT count(*)::int FROM instance_edge e JOIN node_instance d ON d.id = e.downstream_id
              WHERE d.bizdate = i.bizdate AND e.kind = 'same_cycle') AS same
       FROM node_instance i GROUP BY bizdate ORDER BY bizdate`,
  );
  expect(days).toEqual(
    Array.from({ length: DATES }, (_, no) => ({
      n: A_DAY,
      chained: A_DAY / 3 - (no === 0 ? 1 : 0),
      same: (A_DAY / 3) * 2,
    })),
  );
  expect(await brokenInvariants(cluster.database)).toEqual([]);
}, 300_000);
