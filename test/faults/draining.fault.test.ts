import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import { Cluster } from '../support/cluster.js';
import { brokenInvariants } from '../support/invariants.js';

/** Runs until the file that `$1` names is there. */
const HOLD = `until [ -e "$1" ]; do sleep 0.05; done`;

interface Held {
  readonly worker: string;
  readonly node: string;
}

async function held(cluster: Cluster): Promise<Held[]> {
  return await cluster.database.rows<Held>(
    `SELECT w.name AS worker, n.name AS node FROM running_attempt a
       JOIN worker w ON w.id = a.worker_id JOIN node n ON n.id = a.node_id ORDER BY 1, 2`,
  );
}

async function workerId(cluster: Cluster, name: string): Promise<string> {
  const { items } = (await (await cluster.send('GET', '/workers')).json()) as {
    items: { id: string; name: string; state: string }[];
  };
  return items.find((each) => each.name === name && each.state !== 'lost')?.id ?? '';
}

async function drain(cluster: Cluster, name: string, draining: boolean): Promise<void> {
  await cluster.send('PATCH', `/workers/${await workerId(cluster, name)}`, { draining });
}

function heldBy(all: readonly Held[], worker: string): string[] {
  return all.filter((each) => each.worker === worker).map((each) => each.node);
}

test('a draining worker finishes what it has and gets nothing new, also after kill -9, until it is undrained', async () => {
  await using cluster = await Cluster.open({
    workers: 2,
    capacity: 2,
    slots: 16,
    env: { MILLRACE_WORKER_LABELS: 'zone:a, hold' },
  });
  const file = (name: string): string => join(cluster.folder, name);
  const holding = (name: string): object => ({
    id: name,
    type: 'shell',
    labels: ['hold'],
    config: { command: HOLD, args: [file(name)] },
  });
  const first = await cluster.submit('first', { nodes: ['a', 'b', 'c', 'd'].map(holding) });
  await cluster.runDays(first, ['2024-01-01']);
  await cluster.until(60_000, 'both to be full', async () => (await held(cluster)).length === 4);
  const own = heldBy(await held(cluster), 'w1');
  expect(own).toHaveLength(2);

  await drain(cluster, 'w1', true);
  const second = await cluster.submit('second', { nodes: ['e', 'f', 'g', 'h'].map(holding) });
  await cluster.runDays(second, ['2024-01-01']);
  await cluster.untilReleased();
  for (const name of own) writeFileSync(file(name), '');
  await cluster.until(
    30_000,
    'w1 to have finished what it had',
    async () => heldBy(await held(cluster), 'w1').length === 0,
  );
  const ended = (await cluster.instances()).filter((each) => own.includes(each.node));
  expect(ended.map((each) => [each.status, each.epoch])).toEqual([
    ['succeeded', 1],
    ['succeeded', 1],
  ]);

  // With places free on w1 and four waiting, a place that becomes free on w2 is the only one that is filled.
  const [next = ''] = heldBy(await held(cluster), 'w2');
  writeFileSync(file(next), '');
  await cluster.until(30_000, 'w2 to take another one', async () => {
    const now = heldBy(await held(cluster), 'w2');
    return now.length === 2 && !now.includes(next);
  });
  expect(heldBy(await held(cluster), 'w1')).toEqual([]);

  const before = await workerId(cluster, 'w1');
  cluster.processes.kill('w1');
  await cluster.until(60_000, 'w1 to come back', async () => {
    const now = await workerId(cluster, 'w1');
    return now !== '' && now !== before;
  });
  for (const name of heldBy(await held(cluster), 'w2')) writeFileSync(file(name), '');
  await cluster.until(30_000, 'w2 to take the next', async () => {
    const now = heldBy(await held(cluster), 'w2');
    return now.length === 2 && now.every((name) => !existsSync(file(name)));
  });
  expect(heldBy(await held(cluster), 'w1')).toEqual([]);

  await drain(cluster, 'w1', false);
  await cluster.until(
    30_000,
    'w1 to work again',
    async () => heldBy(await held(cluster), 'w1').length > 0,
  );
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) writeFileSync(file(name), '');
  const all = await cluster.untilDone();
  expect(all.every((each) => each.status === 'succeeded')).toBe(true);
  expect(await brokenInvariants(cluster.database)).toEqual([]);
}, 240_000);
