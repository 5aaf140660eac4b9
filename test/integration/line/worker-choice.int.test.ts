import { describe, expect, test } from '@jest/globals';

import type { Claim } from '../../../src/worker-link/worker-link.js';
import { Line, node } from '../../support/line.js';

async function ready(line: Line, draft: object): Promise<void> {
  const { workflowId } = await line.submit('w', draft);
  await line.run(workflowId, '2026-11-20');
  await line.release();
}

const names = (claims: readonly Claim[]): string[] => claims.map((claim) => claim.nodeName);

describe('labels', () => {
  const labelled = {
    nodes: [node('plain'), node('model', [], { labels: ['gpu', 'zone:a'], priority: 8 })],
  };

  test('a node goes only to a worker that has all its labels, and why names the missing one', async () => {
    await using line = await Line.open();
    await ready(line, labelled);
    const plain = await line.worker({ labels: ['gpu'] });
    expect(names(await plain.claim(10))).toEqual(['plain']);
    const [model] = await line.instances(`n.name = 'model'`);
    if (model === undefined) throw new Error('model is missing');
    const key = { planDay: model.plan_day, id: model.id };
    const text = async () => (await line.commands.explainInstance(key)).reasons[0]?.text;
    expect(await text()).toBe(
      'No worker of resource group "default" has the label "zone:a": start one that has.',
    );
    await line.worker({ labels: ['zone:a'] });
    expect(await text()).toContain('has the labels "gpu", "zone:a" together');
    const fitting = await line.worker({ labels: ['zone:a', 'ssd', 'gpu'] });
    expect(names(await fitting.claim(10))).toEqual(['model']);
  });

  test('a new version asks for its labels also where an instance waits already', async () => {
    await using line = await Line.open();
    await ready(line, labelled);
    const worker = await line.worker();
    expect(names(await worker.claim(10))).toEqual(['plain']);
    await line.submit('w', { nodes: [node('plain'), node('model')] });
    expect(names(await worker.claim(10))).toEqual(['model']);
  });
});

describe('draining', () => {
  test('a worker that drains gets nothing new and finishes what it has; undone, it works again', async () => {
    await using line = await Line.open();
    await ready(line, { nodes: [node('a'), node('b')] });
    const worker = await line.worker();
    const [held] = await worker.claim(1);
    if (held === undefined) throw new Error('nothing was claimed');
    const drain = async (draining: boolean) =>
      await line.database.run(`UPDATE worker SET draining = $1`, [draining]);
    await drain(true);
    expect(await worker.claim(10)).toEqual([]);
    const [waiting] = await line.instances(`i.status = 'waiting_resource'`);
    if (waiting === undefined) throw new Error('nobody waits');
    const key = { planDay: waiting.plan_day, id: waiting.id };
    const why = await line.commands.explainInstance(key);
    expect(why.reasons[0]?.text).toContain('that could run it is draining');
    expect(await worker.finish(held)).toBe(0);
    await drain(false);
    expect(await worker.claim(10)).toHaveLength(1);
  });

  test('a worker that dies while it drains comes back draining, one that said goodbye does not', async () => {
    await using line = await Line.open();
    await ready(line, { nodes: [node('a')] });
    const first = await line.worker({ name: 'w1' });
    await line.database.run(`UPDATE worker SET draining = true`);
    const second = await line.worker({ name: 'w1' });
    expect(await second.claim(1)).toEqual([]);
    await line.link.goodbye(first.workerId);
    await line.link.goodbye(second.workerId);
    const third = await line.worker({ name: 'w1' });
    expect(await third.claim(1)).toHaveLength(1);
  });

  test('a group that drains hands out nothing, to whichever worker', async () => {
    await using line = await Line.open();
    await ready(line, { nodes: [node('a')] });
    const worker = await line.worker();
    await line.database.run(`UPDATE resource_group SET draining = true`);
    expect(await worker.claim(1)).toEqual([]);
    const [a] = await line.instances();
    if (a === undefined) throw new Error('a is missing');
    const why = await line.commands.explainInstance({ planDay: a.plan_day, id: a.id });
    expect(why.reasons[0]?.text).toContain('is draining');
    await line.database.run(`UPDATE resource_group SET draining = false`);
    expect(await worker.claim(1)).toHaveLength(1);
  });
});
