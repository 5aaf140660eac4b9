import { expect, test } from '@jest/globals';

import { InstanceGenerator } from '../../../src/scheduler/instance-generator.js';
import { FakeClock } from '../../support/line.js';
import { openScheduledApi } from '../../support/scheduled-api.js';
import { CommandLine } from './command-line.js';

test('plans are listed and shown with their checksum and the versions they were made of', async () => {
  const clock = new FakeClock('2026-11-21T04:00:00Z');
  await using api = await openScheduledApi(clock);
  using cli = new CommandLine(api);
  const draft = {
    timezone: 'Europe/Berlin',
    nodes: [{ id: 'close', type: 'shell', config: { command: 'true' } }],
  };
  const file = cli.file('books.json', JSON.stringify({ name: 'books', draft }));
  expect(await cli.run(['workflows', 'submit', file])).toMatchObject({ code: 0 });
  clock.set('2026-11-21T22:45:00Z');
  const generator = new InstanceGenerator(api.database, clock, api.wakeBus, {
    cutoff: '22:00',
    seal: '23:30',
  });
  await generator.generateDue();

  const { out } = await cli.run(['plans', 'ls']);
  expect(out).toMatch(/^2026-11-21 +Europe\/Berlin +sealed +1 +0 +[0-9a-f]{32}$/m);
  const zone = ['--timezone', 'Europe/Berlin'];
  const shown = JSON.parse(
    (await cli.run(['plans', 'show', '2026-11-21', ...zone, '-o', 'json'])).out,
  );
  expect(shown).toMatchObject({
    state: 'sealed',
    revision: 1,
    sizeJump: null,
    checksum: expect.stringMatching(/^[0-9a-f]{32}$/),
    workflows: [{ name: 'books', version: 1, instances: 1 }],
  });
  const text = (await cli.run(['plans', 'show', '2026-11-21', ...zone])).out;
  expect(text).toMatch(/^books +1 +1$/m);
  expect(await cli.run(['plans', 'show', '2026-11-20', ...zone])).toMatchObject({ code: 5 });
  expect(await cli.run(['plans', 'show', 'yesterday'])).toMatchObject({ code: 5 });
});

test('pages of plans go on where the one before ended, also between two zones of one day', async () => {
  const clock = new FakeClock('2026-11-21T04:00:00Z');
  await using api = await openScheduledApi(clock);
  await api.database.run(
    `INSERT INTO plan (workspace_id, timezone, bizdate, plan_day, state)
     SELECT $1, zone, day, day, 'planned' FROM unnest(ARRAY['UTC', 'Asia/Shanghai']) AS zone,
            unnest(ARRAY['2026-11-20'::date, '2026-11-21']) AS day`,
    [api.workspaceId],
  );
  const seen: string[] = [];
  let cursor = '';
  do {
    const { json } = await api.send('GET', `/api/v1/workspaces/finance/plans?limit=1${cursor}`, {
      as: 'visitor',
    });
    const [plan] = json['items'] as { bizdate: string; timezone: string }[];
    seen.push(`${plan?.bizdate} ${plan?.timezone}`);
    cursor = typeof json['nextCursor'] === 'string' ? `&cursor=${json['nextCursor']}` : '';
  } while (cursor !== '');
  expect(seen).toEqual([
    '2026-11-21 Asia/Shanghai',
    '2026-11-21 UTC',
    '2026-11-20 Asia/Shanghai',
    '2026-11-20 UTC',
  ]);
});
