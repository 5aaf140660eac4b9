import { expect, test } from '@jest/globals';

import { InstanceGenerator, type SizeWatch } from '../../../src/scheduler/instance-generator.js';
import { checkPlans } from '../../../src/store/repositories/plan-repository.js';
import { Line, node } from '../../support/line.js';

const DRAFT = {
  parameters: { ds: '$bizdate' },
  nodes: [
    node('hourly', [], { schedule: { cron: '0 */6 * * *' } }),
    node('daily', ['hourly'], { parameters: { ds: '${yyyymmdd}' } }),
  ],
};

async function checksum(line: Line): Promise<string | null | undefined> {
  const [row] = await line.database.rows<{ checksum: string | null }>(
    `SELECT checksum FROM plan ORDER BY bizdate DESC LIMIT 1`,
  );
  return row?.checksum;
}

/** A line whose plan of 2026-11-21 is sealed. */
async function sealed(): Promise<Line> {
  const line = await Line.open({ now: '2026-11-21T14:30:00Z' });
  await line.submit('w', DRAFT);
  await line.generator.generateDue();
  line.clock.set('2026-11-21T15:30:00Z');
  await line.generator.generateDue();
  return line;
}

test('a plan has a checksum from its seal on, and the same plan has the same', async () => {
  await using line = await Line.open({ now: '2026-11-21T14:30:00Z' });
  await line.submit('w', DRAFT);
  await line.generator.generateDue();
  expect(await checksum(line)).toBeNull();
  line.clock.set('2026-11-21T15:30:00Z');
  await line.generator.generateDue();
  const first = await checksum(line);
  expect(first).toMatch(/^[0-9a-f]{32}$/);

  await using other = await sealed();
  expect(await checksum(other)).toBe(first);
});

test('a plan that was made to its end after its seal has its checksum then', async () => {
  await using line = await sealed();
  const first = await checksum(line);
  await line.database.run(`UPDATE plan SET revision = 0, checksum = NULL`);
  await line.generator.generateDue();
  expect(await checksum(line)).toBe(first);
});

test('running, freezing and changing instances leaves the checksum as it is', async () => {
  await using line = await sealed();
  const [first, second] = await line.instances();
  if (first === undefined || second === undefined) throw new Error('nothing was planned');
  const user = { userId: 0 };
  await line.commands.freezeInstance({ planDay: second.plan_day, id: second.id, ...user });
  await line.commands.changeInstance({
    planDay: second.plan_day,
    id: second.id,
    ...user,
    change: { priority: 8 },
  });
  const [daily] = await line.instances(`n.name = 'daily'`);
  if (daily === undefined) throw new Error('there is no daily instance');
  const upstreams = [{ planDay: first.plan_day, id: first.id }];
  await line.commands.unlinkUpstreams({
    planDay: daily.plan_day,
    id: daily.id,
    ...user,
    upstreams,
  });
  line.clock.set('2026-11-22T15:59:00Z');
  await line.drain(await line.worker());
  expect(await checkPlans(line.database)).toEqual({ checked: 1, changed: [] });
});

test.each([
  ['a missing instance', `DELETE FROM node_instance WHERE node_id = 1 AND period_no = 2`],
  ['another time', `UPDATE node_instance SET scheduled_at = scheduled_at + interval '1 minute'`],
  ['another version', `UPDATE node_instance SET version_id = version_id + 1 WHERE period_no = 3`],
  ['other parameters', `UPDATE node_instance_detail SET parameters = '{"ds": "20260101"}'`],
  [
    'a missing edge',
    `DELETE FROM instance_edge WHERE ctid = (SELECT min(ctid) FROM instance_edge)`,
  ],
])('%s is another checksum', async (_, statement) => {
  await using line = await sealed();
  expect(await line.database.run(statement)).toBeGreaterThan(0);
  const { checked, changed } = await checkPlans(line.database);
  expect(checked).toBe(1);
  expect(changed).toMatchObject([{ workspace: 'shop', bizdate: '2026-11-21' }]);
});

test('a plan of far more instances than usual is told, logged and marked, one of the usual size is not', async () => {
  await using line = await Line.open({ now: '2026-11-21T14:30:00Z' });
  const jumps: Parameters<SizeWatch['onJump']>[0][] = [];
  const generator = new InstanceGenerator(
    line.database,
    line.clock,
    line.wakeBus,
    { cutoff: '22:00', seal: '23:30' },
    { factor: 2, onJump: (plan) => jumps.push(plan) },
  );
  const hourly = (count: number): object => ({
    schedule: { cron: '0 * * * *' },
    nodes: Array.from({ length: count }, (_, no) => node(`n${no}`)),
  });
  await line.submit('w', hourly(1));
  for (const day of ['21', '22', '23', '24']) {
    line.clock.set(`2026-11-${day}T14:30:00Z`);
    await generator.generateDue();
  }
  await line.submit('w', hourly(3));
  line.clock.set('2026-11-25T14:30:00Z');
  await generator.generateDue();

  expect(jumps).toEqual([
    {
      workspace: 'shop',
      timezone: 'Asia/Shanghai',
      bizdate: '2026-11-25',
      instances: 72,
      usualInstances: 24,
      jump: 'grown',
    },
  ]);
  const plans = await line.database.rows(
    `SELECT bizdate, usual_instances AS usual, size_jump AS jump FROM plan ORDER BY bizdate`,
  );
  expect(plans).toEqual([
    { bizdate: '2026-11-21', usual: null, jump: null },
    { bizdate: '2026-11-22', usual: null, jump: null },
    { bizdate: '2026-11-23', usual: null, jump: null },
    { bizdate: '2026-11-24', usual: 24, jump: null },
    { bizdate: '2026-11-25', usual: 24, jump: 'grown' },
  ]);
  const events = await line.database.rows<{ payload: unknown }>(
    `SELECT payload FROM event_outbox WHERE type = 'plan.size_jumped'`,
  );
  expect(events).toMatchObject([{ payload: { bizdate: '2026-11-25', instances: 72 } }]);
});
