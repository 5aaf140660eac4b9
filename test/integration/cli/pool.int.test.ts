import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

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

test('a worker token is printed alone, listed, and revoked by name', async () => {
  await using api = await openApi();
  using cli = new CommandLine(api);
  const add = ['worker-tokens', 'add', 'berlin'];
  expect(await cli.run(add)).toMatchObject({ code: 2 });
  expect(await cli.run([...add, '--resource-group', 'nowhere'])).toMatchObject({ code: 5 });
  const group = ['--resource-group', 'default'];
  expect(await cli.run([...add, ...group, '--dry-run'])).toMatchObject({ code: 0, out: '' });
  expect(await cli.run([...add, ...group])).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^mrw_[\w-]{43}\n$/),
    talk: 'tok_1 is for workers of default; it is not shown again.\n',
  });
  expect((await cli.run(['worker-tokens', 'ls'])).out).toMatch(/tok_1 +berlin +default +valid/);
  await cli.run([...add, ...group]);
  const rm = ['worker-tokens', 'rm', 'berlin'];
  expect(await cli.run([...rm, '--yes'])).toMatchObject({
    code: 5,
    talk: expect.stringContaining('tok_2, tok_1'),
  });
  expect(await cli.run(['worker-tokens', 'rm', 'tok_1'])).toMatchObject({ code: 2 });
  expect(await cli.run(['worker-tokens', 'rm', 'tok_1', '--yes'])).toMatchObject({ code: 0 });
  expect((await cli.run(['worker-tokens', 'ls'])).out).toMatch(/tok_1 +berlin +default +revoked/);
  expect(await cli.run([...rm, '--yes'])).toMatchObject({ code: 0 });
}, 120_000);

test('start with a role starts that role alone, or says what it needs', async () => {
  await using api = await openApi();
  using cli = new CommandLine(api);
  const start = async (argv: readonly string[], env: Readonly<Record<string, string>>) =>
    await cli.bare(['start', ...argv], { env: { MILLRACE_ROLE: 'worker', ...env } });
  expect(await start([], {})).toMatchObject({
    code: 1,
    talk: expect.stringMatching(/MILLRACE_LINK_URL is needed by the role worker[^]*fix:/),
  });
  expect(await start(['--once'], {})).toMatchObject({
    code: 1,
    talk: expect.stringContaining('--once is not for MILLRACE_ROLE=worker'),
  });
  // The port is another server's: the role `api` and nothing else is started, and says so.
  const { code, out } = await start([], {
    MILLRACE_ROLE: 'api',
    MILLRACE_PORT: new URL(api.url).port,
    MILLRACE_DATABASE_URL: 'postgres://nobody:x@127.0.0.1:9/none',
    MILLRACE_SECRET_KEY: 'k'.repeat(32),
  });
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({ ready: false });
  expect(readdirSync(cli.folder)).not.toContain('.millrace');
}, 120_000);

test('a worker says which plugin it has refused and why, and stops when it is told to', async () => {
  await using api = await openApi();
  using cli = new CommandLine(api);
  const worker = spawn(process.execPath, [resolve('bin/millrace.mjs'), 'start'], {
    cwd: cli.folder,
    env: {
      PATH: process.env['PATH'],
      HOME: cli.home,
      MILLRACE_ROLE: 'worker',
      MILLRACE_LINK_URL: 'http://127.0.0.1:9',
      MILLRACE_LINK_TOKEN: 'mrw_none',
      MILLRACE_PLUGINS: '/no/such/plugin',
    },
  });
  const lines = createInterface({ input: worker.stderr });
  const [refusal] = (await once(lines, 'line')) as [string];
  expect(JSON.parse(refusal)).toMatchObject({
    level: 'error',
    code: 'MR-P107',
    msg: expect.stringMatching(/^the plugin \/no\/such\/plugin was refused: .+/),
  });
  worker.kill('SIGTERM');
  expect(await once(worker, 'exit')).toEqual([0, null]);
}, 60_000);
