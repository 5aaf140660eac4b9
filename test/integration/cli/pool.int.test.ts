import { expect, test } from '@jest/globals';

import { openApi } from '../../support/api.js';
import { CommandLine } from './command-line.js';

test('groups are made, changed, listed, shown and drained', async () => {
  await using api = await openApi();
  await using _worker = await api.startWorker();
  using cli = new CommandLine(api);
  expect(await cli.run(['groups', 'set', 'nightly', '--description', 'x'])).toMatchObject({
    code: 2,
    talk: expect.stringContaining('--slots'),
  });
  const set = ['groups', 'set', 'nightly', '--slots', '20', '--quota', 'sync=4'];
  const scheduling = ['--scheduling-slots', '4'];
  expect(await cli.run([...set, '--dry-run'])).toMatchObject({ code: 0, out: '' });
  expect(await cli.run([...set, ...scheduling])).toMatchObject({
    code: 0,
    out: 'Saved nightly (rg_2).\n',
  });
  const shown = await cli.run(['groups', 'show', 'nightly', '-o', 'json']);
  expect(JSON.parse(shown.out)).toMatchObject({
    slots: 20,
    schedulingSlots: 4,
    quotas: { sync: 4 },
  });
  expect(await cli.run(['groups', 'set', 'nightly', '--quota', 'sync=none'])).toMatchObject({
    code: 0,
  });
  expect(await cli.run(['groups', 'set', 'nightly', '--quota', 'sync=many'])).toMatchObject({
    code: 2,
  });
  expect(await cli.run(['groups', 'drain', 'default'])).toMatchObject({
    code: 0,
    out: 'Draining resource group default: it takes nothing new and finishes the 0 it has.\n',
  });
  const table = (await cli.run(['groups', 'ls'])).out;
  expect(table).toMatch(/default +draining +0\/10 +0 +1 +4 +10\.1\.2\.3/);
  expect(table).toMatch(/nightly +no worker +0\/20 +0\/4/);
  expect(await cli.run(['groups', 'undrain', 'default'])).toMatchObject({ code: 0 });
  expect(await cli.run(['groups', 'drain', 'nobody'])).toMatchObject({ code: 5 });
}, 120_000);

test('workers are listed and drained by name or id', async () => {
  await using api = await openApi();
  await using _worker = await api.startWorker();
  using cli = new CommandLine(api);
  expect(await cli.run(['workers', 'drain', 'w1'])).toMatchObject({
    code: 0,
    out: 'Draining worker w1 (wk_1): it takes nothing new and finishes the 0 it has.\n',
  });
  const listed = (await cli.run(['workers', 'ls'])).out;
  expect(listed).toMatch(/wk_1 +w1 +default +draining +0\/4/);
  expect(listed).toMatch(/ \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\n/);
  expect(await cli.run(['workers', 'undrain', 'wk_1'])).toMatchObject({
    code: 0,
    out: 'worker w1 (wk_1) takes work again.\n',
  });
  await using _twin = await api.startWorker();
  expect(await cli.run(['workers', 'drain', 'w1'])).toMatchObject({
    code: 5,
    talk: expect.stringContaining('wk_1, wk_2'),
  });
}, 120_000);

test('a gate is set, made wider, listed and removed', async () => {
  await using api = await openApi();
  await api.database.run(
    `INSERT INTO workflow (workspace_id, name, draft) VALUES ($1, 'orders', '{}')`,
    [api.workspaceId],
  );
  using cli = new CommandLine(api);
  const set = (capacity: string) => ['gates', 'set', capacity, '--workflow', 'orders'];
  expect(await cli.run(set('2'))).toMatchObject({
    code: 0,
    out: 'gate_1 lets 2 of workflow orders through at once.\n',
  });
  expect(await cli.run(set('3'))).toMatchObject({ code: 0 });
  expect(await cli.run([...set('3'), '--data-source', 'x'])).toMatchObject({ code: 2 });
  expect(await cli.run(set('few'))).toMatchObject({ code: 2 });
  expect((await cli.run(['gates', 'ls'])).out).toMatch(/gate_1 +workflow orders +0\/3 +0/);
  expect(await cli.run(['gates', 'rm', 'gate_1', '--yes'])).toMatchObject({ code: 0 });
  expect(await cli.run(['gates', 'rm', 'gate_1', '--yes'])).toMatchObject({ code: 5 });
}, 120_000);
