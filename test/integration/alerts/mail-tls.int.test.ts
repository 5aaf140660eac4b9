import { expect, test } from '@jest/globals';

import { Secret } from '../../../src/config/secret.js';
import { AlertLine } from '../../support/alert-line.js';
import { Certificate } from '../../support/certificate.js';
import { Cluster } from '../../support/cluster.js';
import { Line } from '../../support/line.js';
import { openMailbox } from '../../support/receivers.js';

const HOST = '127.0.0.1';
const PASSWORD = 'pass-word-3';
const LOGIN = { user: 'millrace', password: PASSWORD };

interface Tested {
  readonly results: readonly { readonly status: string; readonly errorDetail: string | null }[];
}

test.each(['starttls', 'tls'] as const)(
  'a mail goes out encrypted by %s to a server whose authority the process trusts',
  async (security) => {
    await using certificate = await Certificate.make(HOST);
    await using mailbox = await openMailbox(undefined, { security, certificate });
    await using cluster = await Cluster.open({
      workers: 0,
      schedulers: 0,
      env: {
        NODE_EXTRA_CA_CERTS: certificate.caFile,
        MILLRACE_SMTP_HOST: HOST,
        MILLRACE_SMTP_PORT: String(mailbox.port),
        MILLRACE_SMTP_SECURITY: security,
        MILLRACE_SMTP_FROM: 'mr@example.com',
      },
    });
    const made = await cluster.send('POST', '/workspaces/sample/alert-rules', {
      name: 'nightly',
      condition: { kind: 'plan_missing' },
      target: { kind: 'all' },
      emails: ['a@example.com'],
    });
    const { id } = (await made.json()) as { id: string };
    const tested = await cluster.send('POST', `/workspaces/sample/alert-rules/${id}/test`, {});
    const { results } = (await tested.json()) as Tested;
    expect(results).toMatchObject([{ status: 'delivered', errorDetail: null }]);
    expect(mailbox.mails).toMatchObject([{ to: ['a@example.com'], isEncrypted: true }]);
  },
);

test.each(['starttls', 'tls'] as const)(
  'a mail server with %s and an authority that is not trusted gets neither the mail nor the password',
  async (security) => {
    await using line = await Line.open();
    await using certificate = await Certificate.make(HOST);
    await using mailbox = await openMailbox(LOGIN, { security, certificate });
    expect(await refusalOf(line, mailbox.port, security)).toMatchObject({
      error_code: 'MR-A123',
      error_detail: expect.stringContaining('certificate'),
    });
    expect(mailbox).toMatchObject({ mails: [], logins: 0 });
  },
);

test('a mail server that does not encrypt gets neither the mail nor the password where it has to', async () => {
  await using line = await Line.open();
  await using mailbox = await openMailbox(LOGIN);
  expect(await refusalOf(line, mailbox.port, 'starttls')).toMatchObject({ error_code: 'MR-A123' });
  expect(mailbox).toMatchObject({ mails: [], logins: 0 });
});

async function refusalOf(line: Line, port: number, security: 'starttls' | 'tls'): Promise<object> {
  const login = { user: LOGIN.user, password: new Secret(PASSWORD) };
  const smtp = { host: HOST, port, security, from: 'mr@example.com', login };
  const alerts = new AlertLine(line, { smtp });
  await line.database.run(`UPDATE resource_group SET created_at = created_at - interval '1 day'`);
  await alerts.rule({
    condition: { kind: 'no_worker', minutes: 1 },
    target: { kind: 'resource_group', resourceGroup: 'default' },
    webhook: null,
    emails: ['a@example.com'],
  });
  await alerts.watch();
  await alerts.send();
  const [delivery] = await alerts.deliveries();
  return delivery ?? {};
}
