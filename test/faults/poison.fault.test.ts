import { expect, test } from '@jest/globals';

import { encodeDayId } from '../../src/domain/ids.js';
import { MAX_LOST_LEASES } from '../../src/domain/instance/retry.js';
import { Cluster } from '../support/cluster.js';
import { brokenInvariants } from '../support/invariants.js';

const WORKERS = 2;
const NEIGHBOURS = 12;

/** A shell is a child of its worker. */
const POISON = { id: 'poison', type: 'shell', config: { command: 'kill -9 $PPID; sleep 60' } };
const BEHIND = { id: 'behind', type: 'shell', config: { command: 'true' }, needs: ['poison'] };

test('a node that kills each worker that runs it is given up after the third, and no other fails for it', async () => {
  await using cluster = await Cluster.open({ workers: WORKERS, capacity: 1 });
  const { processes } = cluster;
  const names = Array.from({ length: NEIGHBOURS }, (_, no) => `neighbour_${no}`);
  const id = await cluster.submit('w', {
    nodes: [
      POISON,
      BEHIND,
      ...names.map((name) => ({ id: name, type: 'shell', config: { command: 'sleep 0.2' } })),
    ],
  });
  await cluster.runDays(id, ['2024-01-01']);
  await cluster.until(120_000, 'everything but the node behind it to end', async () => {
    const all = await cluster.instances();
    return all.every(({ status }) => ['succeeded', 'failed', 'waiting_upstream'].includes(status));
  });
  const instances = await cluster.instances();
  const byNode = new Map(instances.map((each) => [each.node, each]));
  expect(byNode.get('poison')).toMatchObject({ status: 'failed', lost_leases: MAX_LOST_LEASES });
  expect(byNode.get('behind')).toMatchObject({ status: 'waiting_upstream' });
  for (const name of names)
    expect(byNode.get(name)).toMatchObject({ status: 'succeeded', lost_leases: 0 });
  const deaths = ['w1', 'w2'].reduce((sum, name) => sum + processes.lives(name) - 1, 0);
  expect(deaths).toBe(MAX_LOST_LEASES);
  const poison = byNode.get('poison');
  const key = { planDay: poison?.plan_day ?? '', id: poison?.id ?? 0 };
  const why = await cluster.send('GET', `/instances/${encodeDayId('inst', key)}/why`);
  expect(JSON.stringify(await why.json())).toContain('MR-S201');
  expect(await brokenInvariants(cluster.database)).toEqual([]);
}, 180_000);
