import { describe, expect, test } from '@jest/globals';

import type { AlertCondition } from '../../../src/domain/alert/alert-rule.js';
import { AlertLine, PUBLIC_URL } from '../../support/alert-line.js';
import { Line, node } from '../../support/line.js';

const FAILED: AlertCondition = { kind: 'failed', runs: ['scheduled'] };
const BY_SIX: AlertCondition = { kind: 'unfinished', by: '06:00' };
const BROKEN = {
  outcome: 'failed',
  errorCode: 'MR-D102',
  errorDetail: 'row 7: secret-cell',
} as const;
/** 22:30 in Shanghai: the plan of business date 11-21 is made, and runs from midnight on. */
const EVENING = '2026-11-21T14:30:00Z';
const AFTER_MIDNIGHT = '2026-11-21T17:00:00Z';
const SIX = '2026-11-21T22:00:00Z';

async function messages(line: Line): Promise<{ text: string; alerts: { link: string }[] }[]> {
  const rows = await line.database.rows<{ message: { text: string; alerts: { link: string }[] } }>(
    'SELECT message FROM alert_delivery ORDER BY id',
  );
  return rows.map(({ message }) => message);
}

/** Of all alerts in all messages. */
async function links(line: Line): Promise<(string | null)[]> {
  return (await messages(line)).flatMap(({ alerts }) => alerts.map(({ link }) => link));
}

describe('a failed instance', () => {
  test('is told once it is not tried again, with the way to its why and without the words of the error', async () => {
    await using line = await Line.open({ now: EVENING });
    const alerts = new AlertLine(line);
    await alerts.rule({ name: 'nightly', condition: FAILED, owner: 'Ann' });
    await line.submit('w', { nodes: [node('a', [], { retry: { max: 1, intervalMs: 60_000 } })] });
    await line.generator.generateDue();
    line.clock.set(AFTER_MIDNIGHT);
    const worker = await line.worker();
    await line.drain(worker, () => BROKEN);
    expect(await line.statuses()).toEqual({ a: 'retry_wait' });
    await alerts.watch();
    expect(await alerts.alerts()).toEqual([]);

    line.clock.advance(60_000);
    await line.drain(worker, () => BROKEN);
    await alerts.watch();
    expect(await alerts.alerts()).toMatchObject([
      { workflow: 'w', node: 'a', bizdate: '2026-11-21', errorCode: 'MR-D102', count: 1 },
    ]);
    const [message] = await messages(line);
    expect(message?.text).toContain('[shop] nightly (Ann)');
    expect(message?.text).toContain('w / a failed for business date 2026-11-21 (MR-D102');
    expect(JSON.stringify(message)).not.toContain('secret-cell');
    expect(message?.alerts[0]?.link).toMatch(
      new RegExp(`^${PUBLIC_URL}/w/shop/ops/instances/inst_\\d{8}_\\d+\\?tab=why$`),
    );
    await alerts.watch();
    expect(await messages(line)).toHaveLength(1);
  });

  test('of a test run, or from before the rule, is not told; of a test run it is when the rule says so', async () => {
    await using line = await Line.open();
    const alerts = new AlertLine(line);
    const { workflowId } = await line.submit('w', { nodes: [node('a')] });
    await alerts.rule({ condition: FAILED });
    const failOnce = async (): Promise<void> => {
      await line.run(workflowId, '2026-11-20');
      await line.drain(await line.worker(), () => BROKEN);
    };
    await failOnce();
    await alerts.watch();
    await alerts.rule({ condition: { kind: 'failed', runs: ['test'] } });
    await alerts.watch();
    expect(await alerts.alerts()).toEqual([]);
    await failOnce();
    await alerts.watch();
    expect(await alerts.alerts()).toHaveLength(1);
  });

  test('closes its alert when it is rerun, and opens another one when it fails again', async () => {
    await using line = await Line.open({ now: EVENING });
    const alerts = new AlertLine(line);
    await alerts.rule({ condition: FAILED });
    await line.submit('w', { nodes: [node('a')] });
    await line.generator.generateDue();
    line.clock.set(AFTER_MIDNIGHT);
    const worker = await line.worker();
    await line.drain(worker, () => BROKEN);
    await alerts.watch();
    const [instance] = await line.instances();
    await line.commands.rerunInstance({
      planDay: instance?.plan_day ?? '',
      id: instance?.id ?? 0,
      userId: 1,
    });
    await alerts.watch();
    expect((await alerts.alerts()).map(({ state }) => state)).toEqual(['closed']);
    await line.drain(worker, () => BROKEN);
    await alerts.watch();
    expect((await alerts.alerts()).map(({ state }) => state)).toEqual(['closed', 'open']);
  });

  test('is told by the rules that look at its workflow, its node or its resource group, and by no other', async () => {
    await using line = await Line.open({ now: EVENING });
    await line.database.run(`INSERT INTO resource_group (name, slots) VALUES ('other', 1)`);
    const { workflowId } = await line.submit('w', { nodes: [node('a'), node('b')] });
    await line.submit('v', { nodes: [node('a')] });
    const alerts = new AlertLine(line);
    const targets = {
      all: { kind: 'all' },
      w: { kind: 'workflows', workflows: ['w'] },
      v: { kind: 'workflows', workflows: ['v'] },
      wa: { kind: 'nodes', nodes: [{ workflow: 'w', node: 'a' }] },
      wb: { kind: 'nodes', nodes: [{ workflow: 'w', node: 'b' }] },
      default: { kind: 'resource_group', resourceGroup: 'default' },
      other: { kind: 'resource_group', resourceGroup: 'other' },
    } as const;
    for (const [name, target] of Object.entries(targets))
      await alerts.rule({ name, condition: FAILED, target });
    await line.generator.generateDue();
    line.clock.set(AFTER_MIDNIGHT);
    await line.drain(await line.worker(), (claim) =>
      claim.workflowId === workflowId && claim.nodeName === 'a' ? BROKEN : {},
    );
    await alerts.watch();
    const told = (await alerts.alerts()).map(({ ruleName }) => ruleName);
    expect(told.sort()).toEqual(['all', 'default', 'w', 'wa']);
  });
});

describe('what is not finished in time', () => {
  test('is told for each workflow at the wall clock of its zone; frozen instances count as complete', async () => {
    await using line = await Line.open({ now: EVENING });
    const alerts = new AlertLine(line);
    await alerts.rule({ condition: BY_SIX });
    await line.submit('late', { nodes: [node('a'), node('b', ['a'])] });
    await line.submit('done', { nodes: [node('c')] });
    await line.submit('frozen', { nodes: [node('d', [], { scheduleType: 'frozen' })] });
    await line.generator.generateDue();
    line.clock.set(AFTER_MIDNIGHT);
    const worker = await line.worker();
    await line.release();
    for (const claim of await worker.claim(100))
      if (claim.nodeName === 'c') await worker.finish(claim);
    expect((await line.instances()).find(({ node: name }) => name === 'd')).toMatchObject({
      frozen: true,
    });

    line.clock.set('2026-11-21T21:59:59Z');
    await alerts.watch();
    expect(await alerts.alerts()).toEqual([]);
    line.clock.set(SIX);
    await alerts.watch();
    expect(await alerts.alerts()).toMatchObject([
      { workflow: 'late', node: null, bizdate: '2026-11-21', instances: 2, state: 'open' },
    ]);
    expect((await messages(line))[0]?.text).toContain(
      'late was not finished by 06:00 Asia/Shanghai for business date 2026-11-21: 2 instances are left',
    );
    // The first one that is left: the others wait behind it.
    const [a] = await line.instances(`n.name = 'a'`);
    expect(await links(line)).toEqual([
      `${PUBLIC_URL}/w/shop/ops/instances/inst_${a?.plan_day.replaceAll('-', '')}_${a?.id}?tab=why`,
    ]);
  });

  test('closes its alert when all is finished, and is not told again', async () => {
    await using line = await Line.open({ now: EVENING });
    const alerts = new AlertLine(line);
    await line.submit('w', { nodes: [node('a'), node('b', ['a'])] });
    await alerts.rule({
      condition: { kind: 'unfinished', by: '30:00' },
      target: { kind: 'nodes', nodes: [{ workflow: 'w', node: 'b' }] },
    });
    await line.generator.generateDue();
    line.clock.set(SIX);
    await alerts.watch();
    expect(await alerts.alerts()).toEqual([]);
    line.clock.set('2026-11-22T22:00:00Z');
    await alerts.watch();
    expect(await alerts.alerts()).toMatchObject([{ workflow: 'w', node: 'b', state: 'open' }]);
    await line.drain(await line.worker());
    await alerts.watch();
    await alerts.watch();
    expect(await alerts.alerts()).toMatchObject([{ node: 'b', state: 'closed' }]);
  });
});

test('a plan that is not there at its seal is told, and closed when it is made', async () => {
  await using line = await Line.open({ now: '2026-11-21T04:00:00Z' });
  const alerts = new AlertLine(line);
  await alerts.rule({ condition: { kind: 'plan_missing' } });
  await line.submit('w', { nodes: [node('a')] });
  line.clock.set('2026-11-21T15:29:59Z');
  await alerts.watch();
  expect(await alerts.alerts()).toEqual([]);
  line.clock.set('2026-11-21T15:30:00Z');
  await alerts.watch();
  expect(await alerts.alerts()).toMatchObject([
    { bizdate: '2026-11-21', timezone: 'Asia/Shanghai', state: 'open' },
  ]);
  expect(await links(line)).toEqual([`${PUBLIC_URL}/w/shop/ops/plans`]);
  await line.generator.generateDue();
  await alerts.watch();
  expect(await alerts.alerts()).toMatchObject([{ bizdate: '2026-11-21', state: 'closed' }]);
});

test('a plan of an unusual size is told when it is made, and closed when its run day is over', async () => {
  await using line = await Line.open({ now: '2026-11-21T14:30:00Z' });
  const alerts = new AlertLine(line);
  await alerts.rule({ condition: { kind: 'plan_jump' } });
  const hourly = (count: number): object => ({
    schedule: { cron: '0 * * * *' },
    nodes: Array.from({ length: count }, (_, no) => node(`n${no}`)),
  });
  await line.submit('w', hourly(1));
  for (const day of ['21', '22', '23']) {
    line.clock.set(`2026-11-${day}T14:30:00Z`);
    await line.generator.generateDue();
  }
  await alerts.watch();
  expect(await alerts.alerts()).toEqual([]);
  await line.submit('w', hourly(3));
  line.clock.set('2026-11-24T14:30:00Z');
  await line.generator.generateDue();
  await alerts.watch();
  expect(await alerts.alerts()).toMatchObject([
    { bizdate: '2026-11-24', timezone: 'Asia/Shanghai', state: 'open' },
  ]);
  expect(await links(line)).toEqual([`${PUBLIC_URL}/w/shop/ops/plans`]);
  line.clock.set('2026-11-25T15:59:00Z');
  await alerts.watch();
  expect(await alerts.alerts()).toMatchObject([{ state: 'open' }]);
  line.clock.set('2026-11-25T16:00:00Z');
  await alerts.watch();
  expect(await alerts.alerts()).toMatchObject([{ state: 'closed' }]);
});

test('a resource group without a live worker is told after the minutes of the rule, for each absence anew', async () => {
  await using line = await Line.open();
  const alerts = new AlertLine(line);
  await alerts.rule({
    condition: { kind: 'no_worker', minutes: 10 },
    target: { kind: 'resource_group', resourceGroup: 'default' },
  });
  const { workerId } = await line.worker();
  const leaseEndsIn = async (time: string): Promise<void> => {
    await line.database.run(
      `UPDATE worker_lease SET lease_until = clock_timestamp() + $2::interval WHERE worker_id = $1`,
      [workerId, time],
    );
    await line.database.run(`UPDATE resource_group SET created_at = created_at - interval '1 day'`);
  };
  await leaseEndsIn('-9 minutes');
  await alerts.watch();
  expect(await alerts.alerts()).toEqual([]);
  await leaseEndsIn('-11 minutes');
  await alerts.watch();
  await alerts.watch();
  expect(await alerts.alerts()).toMatchObject([{ resourceGroup: 'default', state: 'open' }]);
  expect(await links(line)).toEqual([`${PUBLIC_URL}/w/shop/ops/resources`]);
  await leaseEndsIn('30 seconds');
  await alerts.watch();
  expect(await alerts.alerts()).toMatchObject([{ state: 'closed' }]);
  await leaseEndsIn('-10 minutes');
  await alerts.watch();
  expect((await alerts.alerts()).map(({ state }) => state)).toEqual(['closed', 'open']);
});
