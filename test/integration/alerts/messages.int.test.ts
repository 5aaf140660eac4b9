import { expect, test } from '@jest/globals';

import { closeAlert, muteAlert } from '../../../src/store/repositories/alert-repository.js';
import { probeAlerts } from '../../../src/store/sql/probe-alerts.sql.js';
import { AlertLine, type RuleSettings } from '../../support/alert-line.js';
import { Line, node } from '../../support/line.js';

const MINUTE = 60_000;
const EVENING = '2026-11-21T14:30:00Z';
/** 01:00 in Shanghai. */
const AFTER_MIDNIGHT = '2026-11-21T17:00:00Z';

/** A line at one o'clock in the night, on which these nodes have failed. */
async function brokenLine(settings: Partial<RuleSettings>, nodes = ['a']): Promise<AlertLine> {
  const line = await Line.open({ now: EVENING, slots: 100 });
  const alerts = new AlertLine(line);
  await alerts.rule({ condition: { kind: 'failed', runs: ['scheduled'] }, ...settings });
  await line.submit('w', { nodes: nodes.map((name) => node(name)) });
  await line.generator.generateDue();
  line.clock.set(AFTER_MIDNIGHT);
  return alerts;
}

async function fail(alerts: AlertLine, count = 100): Promise<void> {
  const { line } = alerts;
  await line.release();
  const worker = await line.worker();
  for (const claim of await worker.claim(count))
    await worker.finish(claim, { outcome: 'failed', errorCode: 'MR-D204', errorDetail: 'no' });
}

test('an open alert is repeated by the interval of its rule, and no more often than its count', async () => {
  const alerts = await brokenLine({ repeatMinutes: 5, maxCount: 3 });
  await using line = alerts.line;
  await fail(alerts);
  await alerts.watch();
  const counts: number[] = [];
  for (let minute = 1; minute <= 20; minute++) {
    line.clock.advance(MINUTE);
    await alerts.watch();
    counts.push((await alerts.deliveries()).length);
  }
  expect([counts[3], counts[4], counts[8], counts[9], counts[19]]).toEqual([1, 2, 2, 3, 3]);
  expect(await alerts.alerts()).toMatchObject([{ count: 3, state: 'open' }]);
});

test('without an interval there is one message, and none about an alert that a user has closed', async () => {
  const alerts = await brokenLine({ repeatMinutes: null });
  await using line = alerts.line;
  await fail(alerts);
  await alerts.watch();
  line.clock.advance(24 * 60 * MINUTE);
  await alerts.watch();
  expect(await alerts.deliveries()).toHaveLength(1);

  const [alert] = await alerts.alerts();
  const [user] = await line.database.rows<{ id: number }>('SELECT id FROM app_user');
  expect(await closeAlert(line.database, alert?.id ?? 0, user?.id ?? 0)).toBe(true);
  await line.database.run('UPDATE alert_cursor SET seq = 0');
  await alerts.watch();
  expect(await alerts.alerts()).toMatchObject([{ state: 'closed' }]);
  expect(await alerts.deliveries()).toHaveLength(1);
});

test('what fails within a minute of a message goes together into the next one', async () => {
  const alerts = await brokenLine({}, ['a', 'b', 'c']);
  await using line = alerts.line;
  await fail(alerts, 1);
  await alerts.watch();
  expect(await alerts.deliveries()).toHaveLength(1);
  line.clock.advance(10_000);
  await fail(alerts);
  await alerts.watch();
  expect(await alerts.deliveries()).toHaveLength(1);
  line.clock.advance(50_000);
  await alerts.watch();
  const rows = await line.database.rows<{ listed: number }>(
    `SELECT jsonb_array_length(message -> 'alerts') AS listed FROM alert_delivery ORDER BY id`,
  );
  expect(rows).toEqual([{ listed: 1 }, { listed: 2 }]);
});

test('a message lists twenty alerts and says how many more there are', async () => {
  const alerts = await brokenLine(
    {},
    Array.from({ length: 23 }, (_, no) => `n${no}`),
  );
  await using line = alerts.line;
  await fail(alerts);
  await alerts.watch();
  const rows = await line.database.rows<{ listed: number; more: number }>(
    `SELECT jsonb_array_length(message -> 'alerts') AS listed, message -> 'more' AS more
       FROM alert_delivery`,
  );
  expect(rows).toEqual([{ listed: 20, more: 3 }]);
});

test('within the mute window nothing is sent; what is open at its end is sent then', async () => {
  const alerts = await brokenLine({ mute: { from: '22:00', to: '07:00' } });
  await using line = alerts.line;
  await fail(alerts);
  await alerts.watch();
  expect(await alerts.alerts()).toMatchObject([{ state: 'open', count: 0 }]);
  line.clock.set('2026-11-21T22:59:59Z');
  await alerts.watch();
  expect(await alerts.deliveries()).toEqual([]);
  line.clock.set('2026-11-21T23:00:00Z');
  await alerts.watch();
  expect(await alerts.deliveries()).toHaveLength(1);
});

test('an alert that a user has muted is quiet for that time', async () => {
  const alerts = await brokenLine({ repeatMinutes: 5, maxCount: 10 });
  await using line = alerts.line;
  await fail(alerts);
  await alerts.watch();
  const [alert] = await alerts.alerts();
  expect(await muteAlert(line.database, alert?.id ?? 0, 60, line.clock.now())).toBe(true);
  line.clock.advance(59 * MINUTE);
  await alerts.watch();
  expect(await alerts.deliveries()).toHaveLength(1);
  line.clock.advance(MINUTE);
  await alerts.watch();
  expect(await alerts.deliveries()).toHaveLength(2);
});

test('a rule that is off finds nothing and sends nothing', async () => {
  const alerts = await brokenLine({ enabled: false });
  await using line = alerts.line;
  await fail(alerts);
  await alerts.watch();
  expect(await alerts.alerts()).toEqual([]);
  expect(await probeAlerts(line.database, line.clock.now())).toMatchObject({
    watched: false,
    messages: false,
  });
});

test('two schedulers that look at once open each alert once and write each message once', async () => {
  const nodes = Array.from({ length: 10 }, (_, no) => `n${no}`);
  const alerts = await brokenLine({ emails: ['a@example.com'] }, nodes);
  await using _line = alerts.line;
  await fail(alerts);
  await alerts.publish();
  await Promise.all(Array.from({ length: 8 }, () => alerts.watchOnly()));
  expect(await alerts.alerts()).toHaveLength(10);
  expect((await alerts.deliveries()).map(({ channel }) => channel)).toEqual(['webhook', 'email']);
});

test('a scheduler that dies while it notices leaves nothing half done: the next one finds all of it', async () => {
  const alerts = await brokenLine({});
  await using line = alerts.line;
  await fail(alerts);
  // The last statement of the transaction breaks, as it does for a process that is killed before the commit.
  await line.database.run(
    'ALTER TABLE alert_delivery ADD CONSTRAINT broken CHECK (false) NOT VALID',
  );
  await expect(alerts.watch()).rejects.toThrow('broken');
  expect(await alerts.alerts()).toEqual([]);
  await line.database.run('ALTER TABLE alert_delivery DROP CONSTRAINT broken');
  await alerts.watch();
  expect(await alerts.alerts()).toHaveLength(1);
  expect(await alerts.deliveries()).toHaveLength(1);
});

test('what a round that finds nothing costs is one statement', async () => {
  const alerts = await brokenLine({});
  await using line = alerts.line;
  await fail(alerts);
  await alerts.watch();
  await alerts.watch();
  expect(await probeAlerts(line.database, line.clock.now())).toEqual({
    watched: true,
    events: false,
    messages: false,
  });
});
