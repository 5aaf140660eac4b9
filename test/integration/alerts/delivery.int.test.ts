import { expect, test } from '@jest/globals';

import { Secret } from '../../../src/config/secret.js';
import { signatureOf } from '../../../src/scheduler/alerts/send-webhook.js';
import { AlertLine, type RuleSettings } from '../../support/alert-line.js';
import { Line } from '../../support/line.js';
import { openMailbox, openWebhook } from '../../support/receivers.js';

const NO_WORKER: Pick<RuleSettings, 'condition' | 'target'> = {
  condition: { kind: 'no_worker', minutes: 1 },
  target: { kind: 'resource_group', resourceGroup: 'default' },
};

/** Rules about a group that has not had a worker for a day: each has a message to send. */
async function messagesOf(
  line: Line,
  alerts: AlertLine,
  rules: Partial<RuleSettings>[],
): Promise<void> {
  await line.database.run(`UPDATE resource_group SET created_at = created_at - interval '1 day'`);
  for (const rule of rules) await alerts.rule({ ...NO_WORKER, ...rule });
  await alerts.watch();
}

test('a webhook gets the message as JSON, signed with the secret of its rule', async () => {
  await using line = await Line.open();
  await using receiver = await openWebhook();
  const alerts = new AlertLine(line);
  const secret = 'a shared secret';
  await messagesOf(line, alerts, [
    { name: 'group', owner: 'Ann', webhook: { url: `${receiver.url}/in?token=t0ken`, secret } },
  ]);
  expect(await alerts.send()).toBe(1);
  const [post] = receiver.posts;
  expect(post?.path).toBe('/in?token=t0ken');
  expect(post?.json).toMatchObject({
    type: 'alert',
    workspace: 'shop',
    rule: { name: 'group', owner: 'Ann', condition: 'no_worker' },
    alerts: [{ resourceGroup: 'default', count: 1 }],
    more: 0,
  });
  const signature = String(post?.headers['x-millrace-signature']);
  const [, seconds] = /^t=(\d+),/.exec(signature) ?? [];
  expect(Math.abs(Number(seconds) - Date.now() / 1000)).toBeLessThan(60);
  expect(signature).toBe(signatureOf(secret, Number(seconds), post?.body ?? ''));
  expect(signature).not.toBe(signatureOf('another secret', Number(seconds), post?.body ?? ''));
  expect(await alerts.deliveries()).toMatchObject([
    { status: 'delivered', attempts: 1, answer: '204 No Content' },
  ]);
  expect(await alerts.send()).toBe(0);
});

test('a mail goes to all addresses of the rule, after a login, with the ways to the console', async () => {
  await using line = await Line.open();
  const password = 'pass-wörd-1';
  await using mailbox = await openMailbox({ user: 'millrace', password });
  const { host, port } = mailbox;
  const login = { user: 'millrace', password: new Secret(password) };
  const smtp = { host, port, security: 'none', from: 'Millrace <mr@example.com>', login } as const;
  const alerts = new AlertLine(line, { smtp });
  await messagesOf(line, alerts, [
    { name: 'group', webhook: null, emails: ['a@example.com', 'b@example.com'] },
  ]);
  await alerts.send();
  expect(await alerts.deliveries()).toMatchObject([{ channel: 'email', status: 'delivered' }]);
  expect(mailbox.mails).toMatchObject([
    { from: 'mr@example.com', to: ['a@example.com', 'b@example.com'] },
  ]);
  const source = mailbox.mails[0]?.source ?? '';
  expect(source).toContain('Subject: [Millrace] shop: group: 1 alert');
  expect(source).toContain('No worker of the resource group default has been alive');
  expect(source).toContain('https://millrace.example.com/w/shop/ops/alerts');
});

test('a mail server that refuses is tried again, and its password stands in no row and no log', async () => {
  await using line = await Line.open();
  const password = 'pass-word-2';
  await using mailbox = await openMailbox({ user: 'millrace', password: 'another one' });
  const login = { user: 'millrace', password: new Secret(password) };
  const { host, port } = mailbox;
  const wrong = { host, port, security: 'none', from: 'mr@example.com', login } as const;
  const alerts = new AlertLine(line, { smtp: wrong });
  await messagesOf(line, alerts, [{ webhook: null, emails: ['a@example.com'] }]);
  await alerts.send();
  const [refused] = await alerts.deliveries();
  expect(refused).toMatchObject({ status: 'waiting', attempts: 1, error_code: 'MR-A123' });
  const everything = `${JSON.stringify(refused)} ${alerts.logged.join(' ')}`;
  expect(everything).toContain('‹password›');
  for (const shown of [password, Buffer.from(password).toString('base64')])
    expect(everything).not.toContain(shown);

  const right = { ...wrong, login: { ...login, password: new Secret('another one') } };
  const mended = new AlertLine(line, { smtp: right });
  expect(await mended.send()).toBe(0);
  mailbox.refuseWith('451 come again');
  await mended.waitOver();
  await mended.send();
  expect(await mended.deliveries()).toMatchObject([{ status: 'waiting', attempts: 2 }]);
  mailbox.refuseWith(undefined);
  await mended.waitOver();
  await mended.send();
  expect(mailbox.mails).toHaveLength(1);
  expect(await mended.deliveries()).toMatchObject([{ status: 'delivered', attempts: 3 }]);
});

test('without a mail server the message waits and says what is missing', async () => {
  await using line = await Line.open();
  const alerts = new AlertLine(line);
  await messagesOf(line, alerts, [{ webhook: null, emails: ['a@example.com'] }]);
  await alerts.send();
  expect(await alerts.deliveries()).toMatchObject([{ status: 'waiting', error_code: 'MR-A122' }]);
});

test('a connection that breaks, an error and a redirect are tried again, later each time', async () => {
  await using line = await Line.open();
  await using receiver = await openWebhook();
  await using elsewhere = await openWebhook();
  const alerts = new AlertLine(line);
  const url = `${receiver.url}/in?token=t0ken`;
  await messagesOf(line, alerts, [{ webhook: { url, secret: null } }]);
  const waits: number[] = [];
  const tryWith = async (answer: Parameters<typeof receiver.answerWith>[0]): Promise<void> => {
    receiver.answerWith(answer);
    await alerts.waitOver();
    await alerts.send();
    const [row] = await line.database.rows<{ wait: number }>(
      `SELECT round(extract(epoch FROM next_at - clock_timestamp()))::int AS wait FROM alert_delivery`,
    );
    waits.push(row?.wait ?? 0);
  };
  await tryWith((request) => request.socket.destroy());
  expect(await alerts.deliveries()).toMatchObject([{ status: 'waiting', error_code: 'MR-A121' }]);
  await tryWith((_, response) => response.writeHead(500).end('try later'));
  expect(await alerts.deliveries()).toMatchObject([
    { error_detail: '500 Internal Server Error: try later' },
  ]);
  await tryWith((_, response) => response.writeHead(307, { location: elsewhere.url }).end());
  const [redirected] = await alerts.deliveries();
  expect(redirected?.error_detail).toContain('redirects are not followed');
  expect(waits).toEqual([10, 20, 40]);
  await tryWith((_, response) => response.writeHead(200).end('ok'));
  expect(await alerts.deliveries()).toMatchObject([
    { status: 'delivered', attempts: 4, answer: '200 OK: ok', error_code: null },
  ]);
  expect(elsewhere.posts).toEqual([]);
  const ids = receiver.posts.map(({ headers }) => headers['x-millrace-delivery']);
  expect(new Set(ids).size).toBe(1);
  expect(alerts.logged.join()).not.toContain('t0ken');
});

test('a receiver that never answers does not hold up the others', async () => {
  await using line = await Line.open();
  await using silent = await openWebhook();
  await using receiver = await openWebhook();
  silent.answerWith(() => undefined);
  const alerts = new AlertLine(line);
  await messagesOf(line, alerts, [
    { webhook: { url: silent.url, secret: null } },
    { webhook: { url: receiver.url, secret: null } },
  ]);
  const sending = alerts.send();
  await until(() => receiver.posts.length === 1);
  expect(await sending).toBe(2);
  const [first, second] = await alerts.deliveries();
  expect(first).toMatchObject({ status: 'waiting', error_detail: 'no answer within 10 s' });
  expect(second).toMatchObject({ status: 'delivered' });
}, 30_000);

test('a message that a dead sender had taken is sent by another one when its claim ends', async () => {
  await using line = await Line.open();
  await using receiver = await openWebhook();
  const alerts = new AlertLine(line);
  await messagesOf(line, alerts, [{ webhook: { url: receiver.url, secret: null } }]);
  let reached: () => void = () => undefined;
  const isReached = new Promise<void>((resolve) => (reached = resolve));
  receiver.answerWith((request) => {
    // The sender dies here: it has sent all of it and hears nothing any more.
    receiver.answerWith((_, response) => response.writeHead(204).end());
    reached();
    setTimeout(() => request.socket.destroy(), 1500);
  });
  const dying = alerts.send(500);
  await isReached;
  expect(await alerts.send(500)).toBe(0);
  await until(async () => (await alerts.send(500)) === 1);
  await dying;
  expect(receiver.posts).toHaveLength(2);
  expect(await alerts.deliveries()).toMatchObject([{ status: 'delivered', attempts: 2 }]);
});

test('many senders at once send each message once', async () => {
  await using line = await Line.open();
  await using receiver = await openWebhook();
  const alerts = new AlertLine(line);
  await messagesOf(
    line,
    alerts,
    Array.from({ length: 25 }, () => ({ webhook: { url: receiver.url, secret: null } })),
  );
  receiver.answerWith((_, response) => {
    setTimeout(() => response.writeHead(204).end(), 50);
  });
  await Promise.all(Array.from({ length: 6 }, () => alerts.send()));
  while ((await alerts.send()) > 0);
  expect(receiver.posts).toHaveLength(25);
  const named = receiver.posts.map(({ json }) => json.delivery);
  expect(new Set(named).size).toBe(25);
});

test.each([
  ['refuse', 'http://127.0.0.1:1/'],
  ['refuse', 'http://localhost:1/'],
  ['refuse', 'http://[::1]:1/'],
  ['refuse', 'http://[::ffff:127.0.0.1]:1/'],
  ['refuse', 'http://2130706433:1/'],
  ['loopback', 'http://169.254.169.254/latest'],
] as const)('with %s nothing is sent to %s', async (webhookLocal, url) => {
  await using line = await Line.open();
  const alerts = new AlertLine(line, { webhookLocal });
  await messagesOf(line, alerts, [{ webhook: { url, secret: null } }]);
  await alerts.send();
  expect(await alerts.deliveries()).toMatchObject([{ status: 'waiting', error_code: 'MR-A120' }]);
});

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 9_000; Date.now() < end;) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('waited in vain');
}
