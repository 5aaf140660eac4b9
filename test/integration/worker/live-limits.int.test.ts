import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { CommandLine } from '../cli/command-line.js';
import { World } from './world.js';

const ROWS = 5000;

describe('limits of a sync that runs', () => {
  let world: World;
  let folder: string;
  let cli: CommandLine;
  let source: string;
  const lines = (rows: number): string =>
    `id,name\n${Array.from({ length: rows }, (_, no) => `${no},name ${no}\n`).join('')}`;

  beforeAll(async () => {
    world = await World.open();
    cli = new CommandLine(world.api);
    folder = await mkdtemp(join(tmpdir(), 'millrace-limits-'));
    await writeFile(join(folder, 'in.csv'), lines(ROWS));
    source = await world.dataSource('files', 'file', { root: folder });
    await world.dataSource('out', 'file', { root: folder });
  });
  afterAll(async () => {
    cli[Symbol.dispose]();
    await world[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const sync = (path: string, channel: object = {}): object => ({
    type: 'sync',
    config: {
      source: { dataSource: 'files', path: 'in.csv' },
      target: { dataSource: 'out', path },
      channel,
    },
  });

  /** Its statistics, as soon as they say that a rate limit holds it. */
  async function heldStatistics(id: string): Promise<Record<string, unknown>> {
    for (;;) {
      const { json } = await world.api.send('GET', `/api/v1/instances/${id}`);
      const progress = json['progress'] as { sync?: Record<string, unknown> } | null;
      if (progress?.sync?.['bottleneck'] === 'rate limit') return progress.sync;
      expect(json['status']).not.toBe('succeeded');
      await sleep(50);
    }
  }

  test('run --follow tells what a sync does, and runs show what it has done', async () => {
    const config = sync('followed.csv', { rateLimit: { rowsPerSecond: 2000 } });
    const body = { name: 'followed', draft: { nodes: [{ id: 'load', ...config }] } };
    const made = await world.api.send('POST', '/api/v1/workspaces/finance/workflows', { body });
    const id = String(made.json['id']);
    await world.api.send('POST', `/api/v1/workspaces/finance/workflows/${id}/submit`, { body: {} });
    const argv = ['run', 'followed', '--bizdate', '2026-11-20', '--follow'];
    const { code, talk } = await cli.run(argv);
    expect(code).toBe(0);
    expect(talk).toMatch(
      /^load: \d+ rows read \(\d+ rows, \d+\.\d\d MB per second\), 0 written, 0 dirty; lane pg-copy-text, slices 0 of 1; waits: reader \d+ %, writer \d+ %; waiting for /m,
    );
    const run = talk.match(/run_\w+/)?.[0] ?? '';
    const shown = await cli.run(['runs', 'show', run]);
    expect(shown.code).toBe(0);
    expect(shown.out).toMatch(/^sync +load$/m);
    expect(shown.out).toMatch(/^rows +5000 read, 5000 written, 0 dirty$/m);
    expect(shown.out).toMatch(/^slices +1 of 1$/m);
    const { json } = await world.api.send('GET', `/api/v1/runs/${run}`);
    expect(json['instances']).toMatchObject([
      { progress: { rowsRead: ROWS, sync: { slicesDone: 1, secondsLeft: 0 } } },
    ]);
  });

  test('a data source that is limited keeps it waiting until the limit is taken away', async () => {
    const path = `/api/v1/workspaces/finance/data-sources/${source}/rate-limit`;
    const bad = {
      windows: [
        { from: '08:00', to: '09:00' },
        { from: '08:59', to: '10:00' },
      ],
    };
    expect(await world.api.send('PUT', path, { body: bad })).toMatchObject({ status: 400 });
    expect(await cli.run(['datasources', 'limit', 'files', '--rows', '1'])).toMatchObject({
      code: 0,
      out: 'files: 1 rows/s\n',
    });
    const id = await world.start(sync('limited.csv'));
    expect(await heldStatistics(id)).toMatchObject({ slices: 1, slicesDone: 0 });
    const shown = await cli.run(['datasources', 'limit', 'files']);
    expect(shown.out).toBe(`files: 1 rows/s\n  ${id} has 1 rows/s\n`);
    expect((await cli.run(['instances', 'show', id])).out).toMatch(/waiting for +rate limit/);
    expect(await cli.run(['datasources', 'limit', 'files', '--none'])).toMatchObject({
      code: 0,
      out: 'files: no limit\n',
    });
    const ended = await world.ended(id);
    expect(ended).toMatchObject({ status: 'succeeded', attempts: 1 });
    expect(ended.log).toContain('files is limited over all workers');
    expect(ended.log).toMatch(
      /Elapsed: .*\n.*Average traffic: .*\n.*Average speed: .*\n.*Rows read: +5000/,
    );
    expect(await readFile(join(folder, 'limited.csv'), 'utf8')).toBe(lines(ROWS));
  }, 120_000);

  test('a job that is slow by its own limit is given another one', async () => {
    const id = await world.start(sync('slow.csv', { rateLimit: { rowsPerSecond: 1 } }));
    await heldStatistics(id);
    const set = await cli.run(['instances', 'limit', id, '--unlimited', '--dirty-percent', '2.5']);
    expect(set).toMatchObject({ code: 0 });
    const ended = await world.ended(id);
    expect(ended).toMatchObject({ status: 'succeeded', attempts: 1 });
    expect(ended.log).toContain('Dirty records allowed: 2.5 % of the rows read');
    const { json } = await world.api.send('GET', `/api/v1/instances/${id}`);
    expect(json['channel']).toEqual({ rateLimit: null, dirtyLimit: { ratio: 0.025 } });
    expect(await cli.run(['instances', 'limit', id, '--as-node'])).toMatchObject({ code: 0 });
    const after = await world.api.send('GET', `/api/v1/instances/${id}`);
    expect(after.json['channel']).toBeNull();
    expect(await cli.run(['instances', 'limit', id])).toMatchObject({ code: 2 });
    expect(await cli.run(['instances', 'limit', id, '--dirty-percent', '101'])).toMatchObject({
      code: 2,
    });
  }, 120_000);

  test('only a sync has limits', async () => {
    const { id } = await world.run({ type: 'shell', config: { command: 'true' } });
    const answer = await world.api.send('PUT', `/api/v1/instances/${id}/channel`, { body: {} });
    expect([answer.status, answer.json['code']]).toEqual([409, 'MR-D270']);
  }, 60_000);
});
