import { expect, test } from '@jest/globals';

import { Line, node } from '../../support/line.js';

test('an instance that is planned as a dry run stays one after its upstreams were skipped and run again', async () => {
  await using line = await Line.open();
  const { workflowId } = await line.submit('w', {
    nodes: [node('up'), node('planned', ['up'], { scheduleType: 'dry_run' }), node('real', ['up'])],
  });
  await line.run(workflowId, '2026-11-20');
  // As a branch node that skips this side leaves it.
  await line.database.run(
    `UPDATE node_instance i SET dry_run = true, reason = 'skipped' FROM node n
      WHERE n.id = i.node_id AND n.name = 'up'`,
  );
  await line.release();
  const skipped = await line.instances();
  expect(skipped.map((each) => [each.node, each.status, each.reason])).toEqual([
    ['up', 'succeeded', 'skipped'],
    ['planned', 'succeeded', 'skipped'],
    ['real', 'succeeded', 'skipped'],
  ]);
  for (const { plan_day: planDay, id } of skipped) {
    await line.commands.rerunInstance({ planDay, id, userId: 1 });
  }
  const worker = await line.worker();
  expect(await line.drain(worker)).toEqual(['up', 'real']);
  const rerun = await line.instances();
  expect(rerun.map((each) => [each.node, each.dry_run, each.reason])).toEqual([
    ['up', false, null],
    ['planned', true, 'dry_run'],
    ['real', false, null],
  ]);
});
