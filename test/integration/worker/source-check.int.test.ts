import { afterAll, beforeAll, expect, test } from '@jest/globals';

import {
  createDatabase,
  execute,
  mysqlTestServers,
  type TestDatabase,
  testServers,
} from '../../support/servers.js';
import { CommandLine } from '../cli/command-line.js';
import { World } from './world.js';

const WORKSPACE = '/api/v1/workspaces/finance';
const RANGE = { ranges: [{ from: '2026-11-01', to: '2026-11-03' }] };
const MISSING = { ...RANGE, workflow: 'days', only: 'missing', checkSource: true };

interface Cycle {
  readonly node: string;
  readonly bizdate: string;
  readonly reason: string;
  readonly dataSource: string;
  readonly table: string;
  readonly partition: string;
}

interface Plan {
  readonly planToken: string;
  readonly totals: { readonly run: number };
  readonly missing: {
    readonly counts: object;
    readonly cycles: readonly Cycle[];
    readonly uncheckedTables: readonly { readonly dataSource: string; readonly code: string }[];
  };
}

let world: World;
let warehouse: TestDatabase;
let mart: TestDatabase;

/** Successes of all nodes on three dates, so that there is a record of each output. */
beforeAll(async () => {
  world = await World.open();
  warehouse = await createDatabase(testServers().postgres);
  const [server] = mysqlTestServers();
  if (server === undefined) throw new Error('no server of MySQL is there');
  mart = await createDatabase(server);
  await execute(
    warehouse.server,
    `CREATE TABLE orders (ds varchar(8)) PARTITION BY LIST (ds);
     CREATE TABLE orders_1 PARTITION OF orders FOR VALUES IN ('20261101');
     CREATE TABLE orders_2 PARTITION OF orders FOR VALUES IN ('20261102');
     CREATE TABLE orders_3 PARTITION OF orders FOR VALUES IN ('20261103')`,
    warehouse.name,
  );
  await execute(mart.server, 'CREATE TABLE totals (ds date)', mart.name);
  await execute(
    mart.server,
    `INSERT INTO totals VALUES ('2026-11-01'), ('2026-11-02'), ('2026-11-03')`,
    mart.name,
  );
  for (const [name, { server, name: database }] of [
    ['warehouse', warehouse],
    ['mart', mart],
  ] as const) {
    const { host, port, user, password, kind } = server;
    const config = { host, port, user, password, database, tls: { mode: 'off' } };
    await world.dataSource(name, kind, config);
    await world.dataSource(`${name}_down`, kind, { ...config, port: 1 });
  }
  const node = (id: string, dataSource: string, table: string, more = {}): object => ({
    id,
    type: 'shell',
    config: { command: 'true' },
    parameters: { ds: '$bizdate' },
    outputs: [{ dataSource, table, partition: 'ds=${ds}' }],
    ...more,
  });
  const draft = {
    nodes: [
      node('load', 'warehouse', 'orders'),
      node('total', 'mart', 'totals', { needs: ['load'] }),
      node('far', 'warehouse_down', 'orders'),
      node('farther', 'mart_down', 'totals'),
      node('free', 'warehouse', 'plain', {
        outputs: [{ dataSource: 'warehouse', table: 'plain', partition: '${ds}' }],
      }),
      node('lost', 'nowhere', 'orders'),
      node('never', 'warehouse', 'orders'),
    ],
  };
  const workflow = await world.post('workflows', { name: 'days', draft });
  await world.post(`workflows/${String(workflow['id'])}/submit`, {});
  const all = { ...RANGE, workflow: 'days', name: 'all', parallelism: 3, exclude: ['never'] };
  await world.backfillEnded(String((await world.post('backfills', all))['id']));
}, 120_000);

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await warehouse[Symbol.asyncDispose]();
  await mart[Symbol.asyncDispose]();
}, 60_000);

async function planOf(nodes: readonly string[]): Promise<Plan> {
  const body = { ...MISSING, scope: { mode: 'nodes', nodes } };
  return (await world.post('backfills/plan', body)) as unknown as Plan;
}

async function start(nodes: readonly string[], planToken?: string) {
  const scope = { mode: 'nodes', nodes };
  const body = { ...MISSING, scope, name: 'again', ...(planToken && { planToken }) };
  return await world.api.send('POST', `${WORKSPACE}/backfills`, { body });
}

const inShort = ({ missing }: Plan): string[] =>
  missing.cycles.map(({ node, bizdate, reason }) => `${node} ${bizdate.slice(8)} ${reason}`);

test('a partition with a record is missing once it has gone from its data source, and a start sees what has gone since the plan', async () => {
  const NODES = ['load', 'total'];
  const none = { noRecord: 0, goneAtSource: 0, unchecked: 0 };
  const whole = await planOf(NODES);
  expect(whole).toMatchObject({ totals: { run: 0 }, missing: { counts: none, cycles: [] } });

  await execute(warehouse.server, 'DROP TABLE orders_2', warehouse.name);
  const asked = { ...RANGE, workflow: 'days', only: 'missing' };
  const believed = await world.post('backfills/plan', {
    ...asked,
    scope: { mode: 'nodes', nodes: NODES },
  });
  expect(believed).toMatchObject({ totals: { run: 0 }, missing: { counts: none } });
  const plan = await planOf(NODES);
  expect(plan).toMatchObject({ totals: { run: 1 }, missing: { uncheckedTables: [] } });
  expect(plan.missing.cycles).toMatchObject([
    {
      node: 'load',
      bizdate: '2026-11-02',
      reason: 'gone_at_source',
      dataSource: 'warehouse',
      table: 'orders',
      partition: 'ds=20261102',
    },
  ]);

  await execute(mart.server, `DELETE FROM totals WHERE ds = '2026-11-01'`, mart.name);
  const refused = await start(NODES, plan.planToken);
  expect(refused.json).toMatchObject({
    code: 'MR-S131',
    detail: expect.stringContaining('cycles whose output has gone at the source: 1 then, 2 now'),
  });
  const second = await planOf(NODES);
  expect(inShort(second)).toEqual(['total 01 gone_at_source', 'load 02 gone_at_source']);
  const started = await start(NODES, second.planToken);
  expect(started).toMatchObject({ status: 202, json: { instances: 2, bizdates: 2 } });
  await world.backfillEnded(String(started.json['id']));
}, 60_000);

test('what cannot be looked for is named with its cause, counts as its record says, and is started by none who has not seen it', async () => {
  const NODES = ['load', 'far', 'farther', 'free', 'lost', 'never'];
  const plan = await planOf(NODES);
  expect(plan.missing.counts).toEqual({ noRecord: 3, goneAtSource: 1, unchecked: 12 });
  expect(plan.totals).toMatchObject({ run: 4 });
  expect(inShort(plan)[0]).toBe('load 02 gone_at_source');
  const causes = plan.missing.uncheckedTables.map((each) => `${each.dataSource} ${each.code}`);
  expect(causes.sort()).toEqual([
    'mart_down MR-D102',
    'nowhere MR-S104',
    'warehouse MR-D195',
    'warehouse_down MR-D102',
  ]);
  expect(JSON.stringify(plan.missing.uncheckedTables)).not.toContain(warehouse.server.host);
  const unseen = await start(NODES);
  expect(unseen).toMatchObject({ status: 409, json: { code: 'MR-S210' } });
  expect(unseen.json['errors']).toHaveLength(4);

  using line = new CommandLine(world.api);
  const dates = ['--from', '2026-11-01', '--to', '2026-11-03'];
  const argv = ['backfill', 'days', ...dates, '--check-source', ...nodeOptions(NODES)];
  const told = await line.run([...argv, '--only', 'missing', '--plan']);
  expect(told.out).toContain(
    'load on 2026-11-02 is missing: it has gone at the source (warehouse, orders, ds=20261102)\n',
  );
  expect(told.out).toContain('never on 2026-11-01 is missing: there is no record of it (');
  expect(told.out).toMatch(/^far on 2026-11-01 is left out: .* could not be checked \(/m);
  expect(told.out).toMatch(/^mart_down, totals: workers of default could not look: MR-D102: /m);
  expect(told.talk).toContain('1 gone at the source, 12 could not be checked at the source');
  const blind = await line.run([...argv, '--only', 'missing']);
  expect(blind).toMatchObject({ code: 5, talk: expect.stringContaining('MR-S210') });
  expect(await line.run(argv)).toMatchObject({
    code: 2,
    talk: expect.stringContaining('--check-source needs --only missing'),
  });

  const started = await start(NODES, plan.planToken);
  expect(started).toMatchObject({ status: 202, json: { instances: 4 } });
}, 60_000);

function nodeOptions(names: readonly string[]): string[] {
  return names.flatMap((name) => ['--node', name]);
}
