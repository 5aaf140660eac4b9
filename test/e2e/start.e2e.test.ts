import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { execute } from '../support/servers.js';
import { type Ended, Product, type Running } from './product.js';
import { strikesOf, targetQuery } from './strikes.js';

const DAY_MS = 86_400_000;

/** The rows of a business date in the target, read past the product. */
async function targetLines(product: Product, bizdate: string): Promise<string[]> {
  const server = product.target();
  const rows = await execute(server, targetQuery(server.kind, bizdate), 'sample');
  return rows.map((row) => String(row['line'])).sort();
}

function lastBizdate(): string {
  return new Date(Date.now() - DAY_MS).toISOString().slice(0, 10);
}

function daysBefore(bizdate: string, days: number): string {
  return new Date(new Date(bizdate).getTime() - days * DAY_MS).toISOString().slice(0, 10);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(50);
}

function items(ended: Ended): Record<string, unknown>[] {
  expect(ended).toMatchObject({ code: 0 });
  return JSON.parse(ended.stdout) as Record<string, unknown>[];
}

describe('npm start', () => {
  let product: Product;
  let running: Running | undefined;

  beforeAll(async () => {
    product = await Product.open();
  });

  afterAll(async () => {
    await product[Symbol.asyncDispose]();
  });

  test('with --once runs the sample in a fresh folder, prints the rows and leaves nothing running', async () => {
    const { code, stdout, stderr } = await product.start(['--once']).ended;
    const rows = strikesOf(lastBizdate()).length;
    expect({ code, stdout, stderr }).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`Sample: ${rows} rows, as the file says.`),
    });
    expect(stdout).toContain(`business date ${lastBizdate()}`);
    // A terminal of 100 columns shows the table without folding it.
    expect(stdout.split('\n').filter((line) => line.length > 100)).toEqual([]);
    expect(stderr).toMatch(/^Database ready \([\d.]+ s\)\. The sample's target is a /m);
    expect(await product.settled()).toEqual([]);
  });

  test('goes on where it was, takes the next port when the default one is taken, and says so', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => {
      // Taken by somebody else already: that does as well.
      taken.once('error', () => resolve());
      taken.listen(7070, '127.0.0.1', () => resolve());
    });
    running = product.start([], { MILLRACE_PORT: '' });
    await running.saw(/Ctrl-C stops everything\./);
    taken.close();
    const [, port] = await running.saw(/Port 7070 is taken; using (\d+)\./);
    const [, url] = await running.saw(/Millrace is at (http:\S+)/);
    expect(url).toBe(`http://127.0.0.1:${port}`);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    // The workflow to learn from is made beside everything else, after the address is told.
    let workflows: Record<string, unknown>[] = [];
    for (let tries = 0; tries < 20; tries++) {
      workflows = items(await product.cli('workflows', 'ls', '-o', 'json'));
      if (workflows.length === 2 && workflows.every((each) => each['latestVersion'] !== null))
        break;
    }
    expect(workflows).toMatchObject([
      { name: 'sample', latestVersion: 1 },
      { name: 'sample_fix_me', latestVersion: 1 },
    ]);
    expect(await targetLines(product, lastBizdate())).toEqual(strikesOf(lastBizdate()));
  });

  test('prints a link that signs the administrator in once', async () => {
    const [link = ''] = (await running?.saw(/http:\S+login\?token=\S+/)) ?? [];
    const first = await fetch(link, { redirect: 'manual' });
    const cookie = first.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
    const { origin } = new URL(link);
    const me = await fetch(`${origin}/api/v1/me`, { headers: { cookie } });
    expect({ status: me.status, body: await me.text() }).toMatchObject({
      status: 200,
      body: expect.stringContaining('admin'),
    });
    expect((await fetch(link, { redirect: 'manual' })).status).toBe(401);
  });

  test('a second start in the folder is refused in one line with what to do', async () => {
    const { code, stdout, stderr } = await product.start(['--once']).ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^error: MR-A205 .*already runs.*process \d+\nfix: .+\n$/);
  });

  test.each([['2026-03-05'], ['2025-07-04'], ['2024-02-29']])(
    'the target has the rows of %s as the file says, also when they are asked for twice',
    async (bizdate) => {
      const expected = strikesOf(bizdate);
      expect(expected.length).toBeGreaterThan(0);
      for (const time of ['first', 'second']) {
        const ended = await product.cli('run', 'sample', '--bizdate', bizdate, '--wait');
        expect({ time, ...ended }).toMatchObject({ code: 0 });
        expect(await targetLines(product, bizdate)).toEqual(expected);
      }
    },
  );

  test('the seven business dates before the last one become green by themselves', async () => {
    for (let day = 1; day <= 7; day++) {
      const bizdate = daysBefore(lastBizdate(), day);
      const ls = ['instances', 'ls', '--bizdate', bizdate, '-o', 'json'];
      let statuses: unknown[] = [];
      for (let tries = 0; tries < 20; tries++) {
        statuses = items(await product.cli(...ls)).map((instance) => instance['status']);
        if (statuses.length > 0 && statuses.every((status) => status === 'succeeded')) break;
      }
      expect({ bizdate, statuses }).toEqual({
        bizdate,
        statuses: ['succeeded', 'succeeded', 'succeeded'],
      });
      expect(await targetLines(product, bizdate)).toEqual(strikesOf(bizdate));
    }
  });

  test('the commands of an operator answer', async () => {
    const doctor = await product.cli('doctor');
    expect(doctor).toMatchObject({ code: 0 });
    expect(doctor.stdout).not.toMatch(/failed|warning/);
    const [instance] = items(
      await product.cli('instances', 'ls', '--node', 'insert_data', '-o', 'json'),
    );
    const id = String(instance?.['id']);
    expect(await product.cli('why', id)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`${id} is succeeded`),
    });
    const log = await product.cli('logs', id);
    expect(log).toMatchObject({ code: 0, stdout: expect.stringContaining('insert_data') });
    // Whatever wrote it, a line says when it was written.
    expect(
      log.stdout
        .trim()
        .split('\n')
        .filter((line) => !/^\d{4}-\d\d-\d\dT\S+Z /.test(line)),
    ).toEqual([]);
  });

  test('a data source is tested by a worker, saved, listed and tested again', async () => {
    const { host, port, user, password } = product.postgres();
    const add = (name: string, url: string, ...more: string[]): Promise<Ended> =>
      product.run(
        [
          '/bin/sh',
          '-c',
          'printf %s "$SECRET" | "$@"',
          'sh',
          process.execPath,
          'bin/millrace.mjs',
          'datasources',
          'add',
          name,
          '--type',
          'postgres',
          '--url',
          url,
          '--user',
          user,
          ...more,
        ],
        { SECRET: password },
      ).ended;
    const url = `jdbc:postgresql://${host}:${port}/warehouse`;
    const saved = await add('my_warehouse', url, '--set', 'tls.mode=off', '--password-stdin');
    expect(saved).toMatchObject({ code: 0 });
    const refused = await add(
      'nowhere',
      'jdbc:postgresql://127.0.0.1:1/warehouse',
      '--password-stdin',
    );
    expect(refused).toMatchObject({ code: 3 });
    expect(refused.stderr).toMatch(/tcp +failed +\d+ +MR-D102 .*ECONNREFUSED/);
    expect(refused.stderr).toMatch(/^fix: /m);
    const names = items(await product.cli('datasources', 'ls', '-o', 'json')).map(
      (each) => each['name'],
    );
    expect(names).toContain('my_warehouse');
    expect(names).not.toContain('nowhere');
    const tested = await product.cli('datasources', 'test', 'my_warehouse');
    expect(tested).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('The test succeeded.'),
    });
    for (const each of [saved, refused, tested]) {
      expect(each.stdout + each.stderr).not.toContain(password);
      expect(each.stdout + each.stderr).not.toContain(String(port));
    }
  });

  test('Ctrl-C stops everything it has started, PostgreSQL included', async () => {
    running?.signalGroup('SIGINT');
    const ended = await running?.ended;
    expect(ended).toMatchObject({ code: 130, signal: null });
    expect(product.processes()).toEqual([]);
  });

  test('a wrong secret key is refused in one line, and the folder is as good as before', async () => {
    const wrong = 'another key, and it is long enough for a box of secrets';
    const { code, stdout, stderr } = await product.start(['--once'], { MILLRACE_SECRET_KEY: wrong })
      .ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^error: MR-A203 .+\nfix: .*MILLRACE_SECRET_KEY.*$/m);
    expect(stderr).not.toContain(wrong);
    expect(await product.settled()).toEqual([]);
  });

  test('secrets rotate while it is stopped, and the next start opens them with the new key', async () => {
    const before = product.secretKey();
    expect(await product.cli('secret', 'rotate', '--yes')).toMatchObject({ code: 0 });
    expect(product.secretKey()).not.toBe(before);
    const { code, stderr } = await product.start(['--once']).ended;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(await product.settled()).toEqual([]);
  });

  test('kill -9 of the whole process group ends all but the servers, which the next start adopts', async () => {
    const killed = product.start([]);
    await killed.saw(/Ctrl-C stops everything\./);
    const file = join(product.folder, 'nap.json');
    const nap = { id: 'nap', type: 'shell', config: { command: 'sleep 300' } };
    writeFileSync(file, JSON.stringify({ name: 'nap', draft: { nodes: [nap] } }));
    expect(await product.cli('workflows', 'submit', file)).toMatchObject({ code: 0 });
    expect(await product.cli('run', 'nap')).toMatchObject({ code: 0 });
    const run = product.cli('run', 'sample', '--bizdate', '2023-05-06', '--wait');
    await until(() => product.commands().some((command) => /sleep 300/.test(command)));
    killed.signalGroup('SIGKILL');
    await Promise.all([killed.ended, run]);
    expect(await product.settled(/postgres|mariadbd|mysqld/)).toEqual([]);
    const again = product.start([]);
    await again.saw(/Ctrl-C stops everything\./);
    expect(await product.cli('run', 'sample', '--bizdate', '2023-05-06', '--wait')).toMatchObject({
      code: 0,
    });
    expect(await targetLines(product, '2023-05-06')).toEqual(strikesOf('2023-05-06'));
    again.signalGroup('SIGTERM');
    expect(await again.ended).toMatchObject({ code: 143 });
    expect(product.processes()).toEqual([]);
  });

  test('when a port of its servers is taken by another program, they move and the sample goes on', async () => {
    const { port } = product.postgres();
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(port, '127.0.0.1', resolve));
    const { code, stdout, stderr } = await product.start(['--once']).ended;
    taken.close();
    expect({ code, stdout, stderr }).toMatchObject({ code: 0 });
    expect(product.postgres().port).not.toBe(port);
  });

  test('Ctrl-C while it is still starting stops what runs already', async () => {
    for (const moment of [/Database ready/, /Processes ready/]) {
      const starting = product.start(['--once']);
      await starting.saw(moment);
      starting.signalGroup('SIGINT');
      const { code, stderr } = await starting.ended;
      expect({ code, stderr }).toMatchObject({
        code: 130,
        stderr: expect.not.stringContaining('error'),
      });
      expect(product.processes()).toEqual([]);
    }
  });

  test('under npm, which passes Ctrl-C on a second time, the workers still say goodbye', async () => {
    const npm = product.run(['npm', 'start'], { MILLRACE_PORT: String(product.port) });
    await npm.saw(/Ctrl-C stops everything\./);
    const workers = async (where: string): Promise<unknown[]> => {
      const text = `SELECT id FROM worker JOIN worker_lease ON worker_id = id WHERE ${where} ORDER BY id`;
      return (await execute(product.postgres(), text, 'millrace')).map((row) => Number(row['id']));
    };
    // One that was stopped before it had said it is ready leaves its lease to run out: the newest two count.
    const alive = (await workers('lease_until > clock_timestamp()')).slice(-2);
    expect(alive).toHaveLength(2);
    npm.signalGroup('SIGINT');
    await npm.ended;
    expect(await product.settled()).toEqual([]);
    const starting = product.start(['--once']);
    await starting.saw(/Processes ready/);
    expect(await workers(`ended_at IS NOT NULL AND id IN (${alive.join(', ')})`)).toEqual(alive);
    expect(await starting.ended).toMatchObject({ code: 0 });
  });
});
