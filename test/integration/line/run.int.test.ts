import { expect, test } from '@jest/globals';

import { Line, node } from '../../support/line.js';

const draft = {
  parameters: { region: 'north', ds: '$bizdate' },
  nodes: [node('a', [], { parameters: { limit: '10' } }), node('b', ['a'])],
};

test('a business date that is not over is refused, unless it is asked for', async () => {
  // Half an hour before midnight in Shanghai.
  await using line = await Line.open({ now: '2026-11-21T15:30:00Z' });
  const { workflowId } = await line.submit('orders', draft);
  const run = (bizdate: string, allowFuture?: boolean) =>
    line.commands.runWorkflow({ workflowId, userId: null, bizdate, parameters: {}, allowFuture });
  await run('2026-11-20');
  for (const bizdate of ['2026-11-21', '2030-01-01']) {
    await expect(run(bizdate)).rejects.toMatchObject({
      code: 'MR-S110',
      detail: `${bizdate} is not over in Asia/Shanghai; the last business date that is over is 2026-11-20.`,
      errors: [{ pointer: '/bizdate' }],
    });
  }
  expect(await line.instances()).toHaveLength(2);
  await run('2026-11-21', true);
  line.clock.advance(30 * 60_000);
  await run('2026-11-21');
  expect(await line.instances()).toHaveLength(6);
});

test('a parameter that is not declared is refused with the nearest name', async () => {
  await using line = await Line.open();
  const { workflowId } = await line.submit('orders', draft);
  const run = (parameters: Record<string, string>) =>
    line.commands.runWorkflow({ workflowId, userId: null, bizdate: '2026-11-20', parameters });
  await expect(run({ regoin: 'south', region: 'south' })).rejects.toMatchObject({
    code: 'MR-S111',
    detail: '"regoin" is not declared; did you mean "region"? (declared: ds, limit, region).',
    errors: [{ pointer: '/parameters/regoin' }],
  });
  expect(await line.instances()).toEqual([]);
  await run({ region: 'south', limit: '5' });
  const rows = await line.database.rows<{ parameters: object }>(
    'SELECT parameters FROM node_instance_detail ORDER BY instance_id',
  );
  expect(rows[0]?.parameters).toMatchObject({ region: 'south', limit: '5' });
});
