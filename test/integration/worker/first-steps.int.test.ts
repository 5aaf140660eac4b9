import { expect, test } from '@jest/globals';

import { lastBizdate } from '../../../src/domain/calendar/bizdate.js';
import {
  FIX_ME_RIGHT_TABLE,
  FIX_ME_WRONG_TABLE,
} from '../../../src/embedded/sample/fix-me-workflow.js';
import { startFixMe } from '../../../src/embedded/sample/run-fix-me.js';
import type { SampleApi } from '../../../src/embedded/sample/run-sample.js';
import {
  BIRDSTRIKE_COLUMNS,
  SAMPLE_TARGET_TABLES,
  WAREHOUSE_TABLES,
} from '../../../src/embedded/sample/sample-tables.js';
import { targetServer } from '../../support/day-line.js';
import { createDatabase, execute, type TestDatabase, testServers } from '../../support/servers.js';
import { World } from './world.js';

const SAMPLE = '/api/v1/workspaces/sample';
const BIZDATE = lastBizdate(new Date(), 'Asia/Shanghai');
const SPECIES = ['Gull', 'Gull', 'Owl'];

type Json = Record<string, unknown>;

/** The world with the sample's workspace, databases and data sources. */
async function open(): Promise<{
  world: World;
  warehouse: TestDatabase;
  target: TestDatabase;
  call: (method: string, path: string, body?: object, ifMatch?: string) => Promise<Json>;
}> {
  const world = await World.open();
  await world.api.database.run(`UPDATE workspace SET name = 'sample'`);
  const warehouse = await createDatabase(testServers().postgres);
  const target = await createDatabase(targetServer());
  for (const sql of WAREHOUSE_TABLES) await execute(warehouse.server, sql, warehouse.name);
  for (const sql of SAMPLE_TARGET_TABLES[target.server.kind])
    await execute(target.server, sql, target.name);
  for (const [no, species] of SPECIES.entries()) {
    const values = BIRDSTRIKE_COLUMNS.map(([, name]) => {
      if (name === 'species') return `'${species}'`;
      if (name === 'flight_date') return `'200${no}${BIZDATE.slice(4)}'`;
      return name === 'cost_total' ? '0' : `'x'`;
    });
    const sql = `INSERT INTO birdstrikes VALUES (${values.join(', ')})`;
    await execute(warehouse.server, sql, warehouse.name);
  }
  const call = async (
    method: string,
    path: string,
    body?: object,
    ifMatch?: string,
  ): Promise<Json> => {
    const answer = await world.api.send(method, path, {
      ...(body === undefined ? {} : { body }),
      ...(ifMatch === undefined ? {} : { headers: { 'if-match': ifMatch } }),
    });
    if (answer.status >= 300) throw new Error(`${path} ${answer.status}: ${answer.text}`);
    return answer.json;
  };
  for (const [name, { server, name: database }] of [
    ['warehouse', warehouse],
    ['sample_target', target],
  ] as const) {
    const { host, port, user, password, kind: type } = server;
    const config = { host, port, user, password, database, tls: { mode: 'off' } };
    await call('POST', `${SAMPLE}/data-sources`, { name, type, config, test: false });
  }
  return { world, warehouse, target, call };
}

test('the failing sample is mended by its draft, a submit and a rerun, and the checklist sees it', async () => {
  const { world, warehouse, target, call } = await open();
  await using _world = world;
  await using _warehouse = warehouse;
  await using _target = target;
  const seeding: SampleApi = {
    get: async <T>(path: string) => (await call('GET', `/api/v1${path}`)) as T,
    post: async <T>(path: string, body: unknown) =>
      (await call('POST', `/api/v1${path}`, body as object)) as T,
    change: async (path, body) => {
      const { revision } = await call('GET', `/api/v1${path}`);
      await call('PATCH', `/api/v1${path}`, body as object, `"${String(revision)}"`);
    },
  };
  await startFixMe(seeding, BIZDATE);
  // A second start finds it there and runs nothing.
  await startFixMe(seeding, BIZDATE);
  const { items } = await call('GET', `${SAMPLE}/instances?workflow=sample_fix_me`);
  const [publish, count] = items as { id: string; workflow: { id: string } }[];
  expect(items).toHaveLength(2);
  const failed = await world.ended(count?.id ?? '');
  expect(failed).toMatchObject({ status: 'failed', code: 'MR-D107', attempts: 1 });
  expect(failed.detail).toContain(FIX_ME_WRONG_TABLE);
  expect(await doneSteps(call)).toEqual([]);

  const path = `${SAMPLE}/workflows/${count?.workflow.id ?? ''}`;
  const workflow = await call('GET', path);
  expect(workflow).toMatchObject({ scheduled: false, latestVersion: 1 });
  const wrong = new RegExp(`FROM ${FIX_ME_WRONG_TABLE}\\b`);
  const text = JSON.stringify(workflow['draft']);
  const draft = JSON.parse(text.replace(wrong, `FROM ${FIX_ME_RIGHT_TABLE}`)) as object;
  await call('PATCH', path, { draft }, `"${String(workflow['revision'])}"`);
  await call('POST', `${path}/submit`, {});
  await call('POST', `/api/v1/instances/${count?.id ?? ''}/rerun`, {});
  expect(await world.ended(count?.id ?? '')).toMatchObject({ status: 'succeeded' });
  expect(await world.ended(publish?.id ?? '')).toMatchObject({ status: 'succeeded' });
  const rows = await execute(
    target.server,
    'SELECT species, strikes FROM species_count ORDER BY species',
    target.name,
  );
  expect(rows.map((row) => [row['species'], Number(row['strikes'])])).toEqual([
    ['Gull', 2],
    ['Owl', 1],
  ]);
  expect(await doneSteps(call)).toEqual(['fixFailure']);
  expect(await call('GET', `${SAMPLE}/day?bizdate=${BIZDATE}`)).toMatchObject({
    counts: { succeeded: 2 },
    rowsWritten: 2,
  });
}, 120_000);

test('each step of the checklist is ticked by what was really done, and it can be dismissed', async () => {
  const { world, warehouse, target, call } = await open();
  await using _world = world;
  await using _warehouse = warehouse;
  await using _target = target;
  const command = (text: string) => ({
    nodes: [{ id: 'only', type: 'shell', config: { command: text } }],
  });
  const { id } = await call('POST', `${SAMPLE}/workflows`, {
    name: 'sample',
    draft: command('false'),
  });
  const path = `${SAMPLE}/workflows/${String(id)}`;
  const runToEnd = async (): Promise<string> => {
    await call('POST', `${path}/submit`, {});
    const run = await call('POST', `${path}/runs`, { bizdate: BIZDATE });
    const shown = await call('GET', `/api/v1/runs/${String(run['id'])}`);
    const [instance] = shown['instances'] as { id: string }[];
    return (await world.ended(instance?.id ?? '')).status;
  };
  expect(await runToEnd()).toBe('failed');
  const sample = { workflow: id, name: 'sample history', from: BIZDATE, to: BIZDATE };
  await call('POST', `${SAMPLE}/backfills`, sample);
  expect(await doneSteps(call)).toEqual([]);

  const { revision } = await call('GET', path);
  await call('PATCH', path, { draft: command('true') }, `"${String(revision)}"`);
  expect(await runToEnd()).toBe('succeeded');
  expect(await doneSteps(call)).toEqual(['runSample']);
  await call('PUT', '/api/v1/me/preferences', { 'seen.timeline': true });
  expect(await doneSteps(call)).toEqual(['runSample', 'openTimeline']);
  await call('POST', `${SAMPLE}/backfills`, { ...sample, name: 'mine' });
  const { host, port, user, password } = warehouse.server;
  const config = { host, port, user, password, database: warehouse.name, tls: { mode: 'off' } };
  const source = await call('POST', `${SAMPLE}/data-sources`, {
    name: 'mine',
    type: 'postgres',
    config,
  });
  expect(await doneSteps(call)).toEqual(['runSample', 'openTimeline', 'backfill']);
  await call('POST', `${SAMPLE}/data-sources/${String(source['id'])}/test`, {});
  expect(await doneSteps(call)).toEqual(['runSample', 'openTimeline', 'connectSource', 'backfill']);
  const shown = await call('GET', `${SAMPLE}/checklist`);
  expect(shown).toMatchObject({
    dismissed: false,
    items: [
      { key: 'runSample', target: { workflow: id, run: expect.stringMatching(/^run_/) } },
      { key: 'openTimeline', doneAt: expect.any(String) },
      { key: 'fixFailure', done: false, doneAt: null, target: {} },
      { key: 'connectSource', target: { dataSource: expect.stringMatching(/^ds_/) } },
      { key: 'backfill', target: { workflow: id, backfill: expect.stringMatching(/^bf_/) } },
    ],
  });
  await call('PUT', '/api/v1/me/preferences', { 'checklist.dismissed': true });
  expect(await call('GET', `${SAMPLE}/checklist`)).toMatchObject({ dismissed: true });
}, 120_000);

async function doneSteps(call: (method: string, path: string) => Promise<Json>): Promise<string[]> {
  const { items } = await call('GET', `${SAMPLE}/checklist`);
  return (items as { key: string; done: boolean }[])
    .filter(({ done }) => done)
    .map(({ key }) => key);
}
