import { expect, test } from '@jest/globals';

import { releaseDue } from '../../../src/store/sql/release-due.sql.js';
import { Line, node } from '../../support/line.js';

const joint = (id: string, needs: readonly string[] = [], more: object = {}): object =>
  node(id, needs, { type: 'virtual', config: {}, ...more });

test('a node of zero load succeeds when its turn comes, without a slot, a worker or an attempt', async () => {
  await using line = await Line.open();
  const { workflowId } = await line.submit('w', {
    nodes: [joint('root'), node('work', ['root']), joint('end', ['work'])],
  });
  await line.run(workflowId, '2026-11-20');
  await line.release();
  expect((await line.instances()).map((each) => [each.node, each.status, each.dry_run])).toEqual([
    ['root', 'succeeded', false],
    ['work', 'waiting_resource', false],
    ['end', 'waiting_upstream', false],
  ]);
  const worker = await line.worker();
  expect(await line.drain(worker)).toEqual(['work']);
  expect((await line.instances()).map((each) => each.status)).toEqual([
    'succeeded',
    'succeeded',
    'succeeded',
  ]);
  const attempts = await line.database.rows('SELECT count(*)::int AS count FROM attempt');
  expect(attempts).toEqual([{ count: 1 }]);
});

test('a frozen node of zero load waits, and lets its children go when it is thawed', async () => {
  await using line = await Line.open();
  const { workflowId } = await line.submit('w', {
    nodes: [joint('root', [], { scheduleType: 'frozen' }), joint('a', ['root']), joint('b', ['a'])],
  });
  await line.run(workflowId, '2026-11-20');
  await line.release();
  const [root] = await line.instances();
  expect(root).toMatchObject({ node: 'root', status: 'waiting_resource', frozen: true });
  await line.commands.unfreezeInstance({
    planDay: root?.plan_day ?? '',
    id: root?.id ?? 0,
    userId: 1,
  });
  expect((await line.instances()).map((each) => each.status)).toEqual([
    'succeeded',
    'succeeded',
    'succeeded',
  ]);
});

test('many nodes of zero load end in several transactions, none of which holds them all', async () => {
  await using line = await Line.open();
  const parts = Array.from({ length: 1_500 }, (_, at) => joint(`part_${at}`, ['root']));
  const { workflowId } = await line.submit('w', {
    nodes: [joint('root'), ...parts, joint('end', ['part_0', 'part_1499'])],
  });
  await line.run(workflowId, '2026-11-20');
  const succeeded = async (): Promise<number> =>
    (await line.instances(`i.status = 'succeeded'`)).length;
  await line.database.transaction((tx) => releaseDue(tx, line.clock.now(), 500));
  expect(await succeeded()).toBe(1_001);
  expect(await line.wrongPendings()).toBe(0);
  await line.release();
  expect(await succeeded()).toBe(1_502);
  expect(await line.wrongPendings()).toBe(0);
});

test('a node of zero load that is rerun succeeds again and opens nothing that has run', async () => {
  await using line = await Line.open();
  const { workflowId } = await line.submit('w', { nodes: [joint('root'), node('work', ['root'])] });
  await line.run(workflowId, '2026-11-20');
  await line.release();
  const worker = await line.worker();
  await line.drain(worker);
  const [root] = await line.instances();
  await line.commands.rerunInstance({
    planDay: root?.plan_day ?? '',
    id: root?.id ?? 0,
    userId: 1,
  });
  expect((await line.instances()).map((each) => each.status)).toEqual(['succeeded', 'succeeded']);
});
