import { expect, test } from '@jest/globals';

import { FakeClock } from '../../support/line.js';
import { openScheduledApi } from '../../support/scheduled-api.js';
import { CommandLine } from './command-line.js';

const FILE = 'name: trading\nholidays: [2026-11-23]\nworkDays:\n  - 2026-11-28\n';

test('calendars are set from a file, listed, shown in the form of the file, and removed', async () => {
  await using api = await openScheduledApi(new FakeClock('2026-11-21T04:00:00Z'));
  using cli = new CommandLine(api);
  const file = cli.file('trading.yaml', FILE);
  const dry = await cli.run(['calendars', 'set', file, '--dry-run']);
  expect(dry).toMatchObject({ code: 0, talk: expect.stringContaining('Would make') });
  expect((await cli.run(['calendars', 'ls', '-o', 'name'])).out).toBe('');
  const set = await cli.run(['calendars', 'set', file]);
  expect(set).toMatchObject({ code: 0, out: expect.stringContaining('1 holidays, 1 work days') });
  expect((await cli.run(['calendars', 'ls', '-o', 'name'])).out).toBe('trading\n');

  const { out } = await cli.run(['calendars', 'show', 'trading', '-o', 'yaml']);
  const edited = cli.file('edited.yaml', out.replace('2026-11-23', '2026-12-24'));
  expect(await cli.run(['calendars', 'set', edited])).toMatchObject({ code: 0 });
  const shown = JSON.parse((await cli.run(['calendars', 'show', 'trading', '-o', 'json'])).out);
  expect(shown).toMatchObject({
    holidays: ['2026-12-24'],
    workDays: ['2026-11-28'],
    workWeekdays: ['mon', 'tue', 'wed', 'thu', 'fri'],
    revision: 2,
  });

  const wrong = cli.file('wrong.yaml', 'name: other\nholidays: [2026-02-30]\n');
  expect(await cli.run(['calendars', 'set', wrong])).toMatchObject({ code: 3, out: '' });
  const misspelled = cli.file('misspelled.yaml', 'name: other\nholiday: [2026-12-25]\n');
  expect(await cli.run(['calendars', 'set', misspelled])).toMatchObject({
    code: 3,
    talk: expect.stringContaining('"holiday"'),
  });
  expect(await cli.run(['calendars', 'rm', 'ghost', '--yes'])).toMatchObject({ code: 5 });
  expect(await cli.run(['calendars', 'rm', 'trading', '--yes'])).toMatchObject({ code: 0 });
  expect((await cli.run(['calendars', 'ls', '-o', 'name'])).out).toBe('');
});

test('workflows preview prints the parameters of the next instances', async () => {
  await using api = await openScheduledApi(new FakeClock('2026-11-21T04:00:00Z'));
  using cli = new CommandLine(api);
  const draft = {
    schedule: { period: { every: 'month', days: [-1], at: '06:00' } },
    parameters: { ds: '${yyyy-mm-dd}' },
    nodes: [{ id: 'close', type: 'shell', config: { command: 'true' } }],
  };
  const file = cli.file('books.json', JSON.stringify({ name: 'books', draft }));
  expect(await cli.run(['workflows', 'submit', file])).toMatchObject({ code: 0 });
  const words = ['workflows', 'preview', 'books', '--bizdate', '2026-02-26', '--count', '2'];
  const { out } = await cli.run(words);
  expect(out.trim().split('\n').slice(1)).toEqual([
    expect.stringMatching(/^close +2026-02-26 +2026-02-27 06:00:00 +off_day +ds=2026-02-26$/),
    expect.stringMatching(/^close +2026-02-27 +2026-02-28 06:00:00 +ds=2026-02-27$/),
  ]);
  const rows = (await cli.run([...words, '--draft', '-o', 'jsonl'])).out.trim().split('\n');
  expect(JSON.parse(rows[1] ?? '')).toMatchObject({ node: 'close', dryRun: null });
  expect(await cli.run([...words, '--node', 'ghost'])).toMatchObject({ code: 5 });
});

test('workflows preview tells the second of two times that a turned clock shows alike', async () => {
  await using api = await openScheduledApi(new FakeClock('2026-10-20T04:00:00Z'));
  using cli = new CommandLine(api);
  const draft = {
    timezone: 'America/Los_Angeles',
    schedule: { period: { every: 'hour', from: '01:30', to: '02:30' } },
    nodes: [{ id: 'h', type: 'shell', config: { command: 'true' } }],
  };
  const file = cli.file('folded.json', JSON.stringify({ name: 'folded', draft }));
  expect(await cli.run(['workflows', 'submit', file])).toMatchObject({ code: 0 });
  const { out } = await cli.run(['workflows', 'preview', 'folded', '--bizdate', '2026-10-31']);
  expect(out.trim().split('\n').slice(1, 4)).toEqual([
    expect.stringMatching(/^h +2026-10-31 +2026-11-01 01:30:00 *$/),
    expect.stringMatching(/^h +2026-10-31 +2026-11-01 01:30:00 again *$/),
    expect.stringMatching(/^h +2026-10-31 +2026-11-01 02:30:00 *$/),
  ]);
});

test('parameters of the workspace are set, listed, and removed', async () => {
  await using api = await openScheduledApi(new FakeClock('2026-11-21T04:00:00Z'));
  using cli = new CommandLine(api);
  expect((await cli.run(['parameters', 'set', 'month', '${yyyymm-1}'])).out).toBe(
    'month=${yyyymm-1}\n',
  );
  expect(await cli.run(['parameters', 'set', 'bad', '${yyyy-1/24}'])).toMatchObject({ code: 3 });
  expect((await cli.run(['parameters', 'ls', '-o', 'name'])).out).toBe('month\n');
  expect(await cli.run(['parameters', 'rm', 'mnoth', '--yes'])).toMatchObject({ code: 5 });
  expect(await cli.run(['parameters', 'rm', 'month', '--yes'])).toMatchObject({ code: 0 });
  expect((await cli.run(['parameters', 'ls', '-o', 'json'])).out.trim()).toBe('[]');
});
