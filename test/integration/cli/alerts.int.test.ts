import { expect, test } from '@jest/globals';

import { openApi } from '../../support/api.js';
import { openWebhook } from '../../support/receivers.js';
import { CommandLine } from './command-line.js';

test('a rule is set from a file, tested, listed and removed', async () => {
  await using receiver = await openWebhook();
  await using api = await openApi({ alertChannels: { webhookLocal: 'loopback' } });
  using cli = new CommandLine(api);
  const yaml = (more: string): string =>
    `name: nightly\ncondition: { kind: unfinished, by: '06:00' }\nwebhook: { url: '${receiver.url}/t0ken' }\n${more}`;
  const file = cli.file('nightly.yaml', yaml(''));
  expect(await cli.run(['alert-rules', 'set', file, '--dry-run'])).toMatchObject({ code: 0 });
  expect((await cli.run(['alert-rules', 'ls'])).talk).toContain('Nothing found');
  expect(await cli.run(['alert-rules', 'set', file])).toMatchObject({
    code: 0,
    out: 'Saved nightly (rule_1).\n',
  });
  cli.file('nightly.yaml', yaml('repeatMinutes: 30\n'));
  expect(await cli.run(['alert-rules', 'set', file])).toMatchObject({ code: 0 });
  const listed = await cli.run(['alert-rules', 'ls', '-o', 'json']);
  expect(JSON.parse(listed.out)).toMatchObject([
    { name: 'nightly', repeatMinutes: 30, revision: 2 },
  ]);
  expect(listed.out).not.toContain('t0ken');

  expect(await cli.run(['alert-rules', 'test', 'nightly'])).toMatchObject({
    code: 0,
    out: 'webhook  delivered: 204 No Content\n',
  });
  receiver.answerWith((_, response) => response.writeHead(500).end());
  expect(await cli.run(['alert-rules', 'test', 'nightly'])).toMatchObject({
    code: 1,
    out: expect.stringContaining('failed: MR-A121 500'),
  });
  expect(await cli.run(['alert-rules', 'rm', 'nightly', '--yes'])).toMatchObject({ code: 0 });
  expect(await cli.run(['alert-rules', 'test', 'nightly'])).toMatchObject({ code: 5 });
}, 60_000);

test('the list of rules names the channel that does not get through beside one that does', async () => {
  await using api = await openApi();
  using cli = new CommandLine(api);
  const file = cli.file(
    'two.yaml',
    `name: two
condition: { kind: failed }
webhook: { url: 'https://hooks.example.com/x' }
emails: [a@example.com]
`,
  );
  expect(await cli.run(['alert-rules', 'set', file])).toMatchObject({ code: 0 });
  await api.database.run(
    `INSERT INTO alert_delivery (rule_id, channel, alert_ids, message, status, attempts, attempted_at,
            error_code, error_detail)
     VALUES (1, 'webhook', '{1}', '{}', 'waiting', 3, now(), 'MR-A121', '500 Oops'),
            (1, 'email', '{1}', '{}', 'delivered', 1, now(), NULL, NULL)`,
  );
  expect((await cli.run(['alert-rules', 'ls'])).out).toMatch(/webhook: 500 Oops *\n/);
  // Nobody waits for a channel that the rule no longer has.
  cli.file('two.yaml', 'name: two\nwebhook: null\n');
  expect(await cli.run(['alert-rules', 'set', file])).toMatchObject({ code: 0 });
  expect((await cli.run(['alert-rules', 'ls'])).out).toMatch(/email: delivered *\n/);
}, 60_000);

test('an alert is muted for a while, and closed', async () => {
  await using api = await openApi();
  using cli = new CommandLine(api);
  const file = cli.file(
    'r.yaml',
    'name: r\ncondition: { kind: failed }\nemails: [a@example.com]\n',
  );
  await cli.run(['alert-rules', 'set', file]);
  await api.database.run(
    `INSERT INTO alert (workspace_id, rule_id, subject, first_at, last_at)
     SELECT workspace_id, id, 'x', now(), now() FROM alert_rule`,
  );
  expect(await cli.run(['alerts', 'mute', 'alert_1'])).toMatchObject({ code: 2 });
  expect(await cli.run(['alerts', 'mute', 'alert_1', '--minutes', '90'])).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^alert_1 sends nothing until \d{4}-.*Z\.\n$/),
  });
  expect(await cli.run(['alerts', 'close', 'alert_1'])).toMatchObject({
    code: 0,
    out: 'alert_1 is closed.\n',
  });
  expect((await cli.run(['alerts', 'ls'])).talk).toContain('Nothing found');
  expect(await cli.run(['alerts', 'close', 'alert_1'])).toMatchObject({ code: 5 });
}, 60_000);

test('open alerts are listed, closed ones on demand, and a wrong file says where it is wrong', async () => {
  await using api = await openApi();
  using cli = new CommandLine(api);
  const file = cli.file(
    'group.yaml',
    'name: group\ncondition: { kind: no_worker, minutes: 5 }\nemails: [a@example.com]\n',
  );
  const refused = await cli.run(['alert-rules', 'set', file]);
  expect(refused).toMatchObject({ code: 3, talk: expect.stringContaining('/target/kind') });
  cli.file(
    'group.yaml',
    `name: group
condition: { kind: no_worker, minutes: 5 }
target: { kind: resource_group, resourceGroup: default }
emails: [a@example.com]
`,
  );
  expect(await cli.run(['alert-rules', 'set', file])).toMatchObject({ code: 0 });
  await api.database.run(
    `INSERT INTO alert (workspace_id, rule_id, subject, state, resource_group_id, first_at, last_at)
     SELECT r.workspace_id, r.id, s, s, r.resource_group_id, now(), now()
       FROM alert_rule r, unnest(ARRAY['open', 'closed']) AS s`,
  );
  expect((await cli.run(['alerts', 'ls', '-o', 'name'])).out).toBe('alert_1\n');
  expect((await cli.run(['alerts', 'ls', '--all', '-o', 'name'])).out).toBe('alert_1\nalert_2\n');
  const table = await cli.run(['alerts', 'ls']);
  expect(table.out).toContain('No worker of the resource group default has been alive');
}, 60_000);
