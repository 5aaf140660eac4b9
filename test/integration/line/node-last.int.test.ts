import { expect, test } from '@jest/globals';

import type { InstanceView } from '../../support/line.js';
import { Line, node } from '../../support/line.js';

test('the last outcome of a node is kept however it came about', async () => {
  await using line = await Line.open();
  const { workflowId } = await line.submit('w', {
    nodes: [
      node('done'),
      node('dry', [], { scheduleType: 'dry_run' }),
      node('stopped'),
      node('forgiven'),
      node('poisoned'),
    ],
  });
  await line.run(workflowId, '2026-11-20');
  await line.release();
  const all = new Map((await line.instances()).map((each) => [each.node, each]));
  const commandOf = (name: string) => {
    const { plan_day: planDay, id } = all.get(name) as InstanceView;
    return { planDay, id, userId: 1 };
  };
  await line.commands.stopInstance(commandOf('stopped'));
  const worker = await line.worker();
  for (const claim of await worker.claim(10)) {
    if (claim.nodeName === 'done') await worker.finish(claim);
    if (claim.nodeName === 'forgiven') {
      await worker.finish(claim, { outcome: 'failed', errorCode: 'MR-D106' });
    }
  }
  await line.commands.setInstanceSuccess(commandOf('forgiven'));
  await line.database.run(`UPDATE node_instance SET lost_leases = 2`);
  await line.database.run(
    `UPDATE worker_lease SET lease_until = clock_timestamp() - interval '1 ms'`,
  );
  expect(await line.reap(0)).toBe(1);
  const last = await line.database.rows<{ name: string; status: string }>(
    `SELECT n.name, l.status FROM node_last l JOIN node n ON n.id = l.node_id ORDER BY n.name`,
  );
  expect(last.map(({ name, status }) => `${name} ${status}`)).toEqual([
    'done succeeded',
    'dry succeeded',
    'forgiven succeeded',
    'poisoned failed',
    'stopped cancelled',
  ]);
});
