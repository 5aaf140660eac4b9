import { expect, test } from '@jest/globals';
import type { MigrationInterface, QueryRunner } from 'typeorm';

import {
  ensureDays,
  migrate,
  migrationClasses,
  pendingMigrations,
} from '../../../src/store/run-migrations.js';
import { ensurePartitions } from '../../../src/store/sql/ensure-partitions.sql.js';
import { openStore } from '../../support/store.js';

const PARTITIONS = `SELECT count(*)::int AS n FROM pg_inherits WHERE inhparent = 'node_instance'::regclass`;

test('an empty database gets every migration and nine days of partitions', async () => {
  await using store = await openStore({ empty: true });
  expect(await pendingMigrations(store.database)).toHaveLength((await migrationClasses()).length);

  const { ran } = await migrate(store.url);

  expect(ran).toEqual((await migrationClasses()).map((migration) => new migration().name));
  expect(await pendingMigrations(store.database)).toEqual([]);
  expect(await store.database.rows(PARTITIONS)).toEqual([{ n: 9 }]);
});

test('a second start finds nothing to do', async () => {
  await using store = await openStore();
  expect(await migrate(store.url)).toEqual({ ran: [] });
  expect(await store.database.rows(PARTITIONS)).toEqual([{ n: 9 }]);
});

test('of four starters at once one migrates and none fails', async () => {
  await using store = await openStore({ empty: true });
  const reports = await Promise.all([1, 2, 3, 4].map(() => migrate(store.url)));
  const ran = reports.flatMap((report) => report.ran);
  expect(ran).toHaveLength((await migrationClasses()).length);
});

test('rows that were there before a migration are there after it', async () => {
  await using store = await openStore({ empty: true });
  const classes = await migrationClasses();
  await migrate(store.url, classes.slice(0, 3));
  await store.database.run(
    `INSERT INTO workspace (name, timezone) VALUES ('finance', 'Asia/Shanghai')`,
  );
  await store.database.run(
    `INSERT INTO workflow (workspace_id, name, draft)
     SELECT id, 'orders_daily', '{"nodes": []}' FROM workspace`,
  );

  const { ran } = await migrate(store.url);

  expect(ran).toHaveLength(classes.length - 3);
  expect(
    await store.database.rows(
      'SELECT w.name, f.name AS workflow FROM workspace w JOIN workflow f ON true',
    ),
  ).toEqual([{ name: 'finance', workflow: 'orders_daily' }]);
});

test('a node’s schedule that stood alone says so where it would now take from its workflow', async () => {
  await using store = await openStore({ empty: true });
  const classes = await migrationClasses();
  const at = classes.findIndex(({ name }) => name.startsWith('NodeSchedule'));
  await migrate(store.url, classes.slice(0, at));
  const spec = {
    schedule: { cron: '0 6 * * *', calendar: 'trading', dstPolicy: 'run_twice' },
    nodes: [
      { id: 'a', type: 'shell' },
      { id: 'b', schedule: { effectiveTo: '2026-11-22' } },
      { id: 'c', schedule: { period: { every: 'day', at: '01:00' }, calendar: 'own' } },
    ],
  };
  const odd = [{}, { nodes: 7, schedule: {} }, { nodes: [7, { schedule: 'x' }], schedule: 3 }, []];
  await store.database.run(
    `WITH s AS (INSERT INTO workspace (name, timezone) VALUES ('finance', 'UTC') RETURNING id),
          w AS (INSERT INTO workflow (workspace_id, name, draft)
                SELECT s.id, 'w' || no, draft FROM s, unnest($1::jsonb[]) WITH ORDINALITY AS d(draft, no)
                RETURNING id, name)
     INSERT INTO workflow_version (workflow_id, version, spec, timezone, first_bizdate)
     SELECT id, 1, $2, 'UTC', '2026-11-21' FROM w WHERE name = 'w1'`,
    [[spec, ...odd].map((draft) => JSON.stringify(draft)), JSON.stringify(spec)],
  );

  await migrate(store.url);

  const [version] = await store.database.rows<{ nodes: unknown }>(
    `SELECT spec -> 'nodes' AS nodes FROM workflow_version`,
  );
  const [a, , c] = spec.nodes;
  expect(version?.nodes).toEqual([
    a,
    { id: 'b', schedule: { cron: '0 0 * * *', calendar: null, effectiveTo: '2026-11-22' } },
    c,
  ]);
  const drafts = await store.database.rows<{ draft: unknown }>(
    `SELECT draft FROM workflow ORDER BY name`,
  );
  expect(drafts.map(({ draft }) => draft)).toEqual([
    {
      ...spec,
      nodes: [a, { id: 'b', schedule: { calendar: null, effectiveTo: '2026-11-22' } }, c],
    },
    ...odd,
  ]);
});

test('an attached partition has the keys and indexes of its parent', async () => {
  await using store = await openStore();
  await ensureDays(store.database);
  const unattached = await store.database.rows(
    `SELECT c.relname FROM pg_class c
      WHERE c.relkind = 'I' AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = c.oid)`,
  );
  expect(unattached).toEqual([]);
  const indexes = await store.database.rows<{ parents: number; children: number }>(
    `SELECT count(*) FILTER (WHERE c.relkind = 'p')::int AS parents,
            count(*) FILTER (WHERE c.relkind = 'r')::int AS children
       FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid
      WHERE c.relname ~ '^node_instance(_\\d{8})?$'`,
  );
  expect(indexes[0]?.children).toBe((indexes[0]?.parents ?? 0) * 9);
});

class AddColour1999999999999 implements MigrationInterface {
  readonly name = 'AddColour1999999999999';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE workspace ADD COLUMN colour text`);
  }

  async down(): Promise<void> {
    throw new Error('forward only');
  }
}

test('a migration whose table is locked lets go, and is done once the table is free', async () => {
  await using store = await openStore();
  const classes = [...(await migrationClasses()), AddColour1999999999999];
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const holder = store.database.transaction(async (tx) => {
    await tx.rows('SELECT FROM workspace');
    await held;
  });
  const migrating = migrate(store.url, classes);
  // Readers pass between two tries: one that was stuck behind the migration gets its rows when it lets go.
  for (let reads = 0; reads < 3; reads++) {
    await store.database.rows('SELECT FROM workspace');
    await new Promise((resolve) => setTimeout(resolve, 900));
  }
  release();
  await holder;
  expect((await migrating).ran).toEqual(['AddColour1999999999999']);
});

test('a database of a newer version is refused', async () => {
  await using store = await openStore();
  await migrate(store.url, [...(await migrationClasses()), AddColour1999999999999]);
  await expect(migrate(store.url)).rejects.toMatchObject({ code: 'MR-A208' });
});

test('a server that does not answer is named as such', async () => {
  await expect(migrate('postgresql://u:p@127.0.0.1:1/none')).rejects.toMatchObject({
    code: 'MR-A207',
  });
});

test('a backfill that was being made is made from the same version, and its dates keep their instances', async () => {
  await using store = await openStore({ empty: true });
  const classes = await migrationClasses();
  const at = classes.findIndex(({ name }) => name.startsWith('BackfillWorkflows'));
  await migrate(store.url, classes.slice(0, at));
  await ensurePartitions(store.database, '2026-11-19', '2026-11-19');
  await store.database.run(
    `WITH s AS (INSERT INTO workspace (name, timezone) VALUES ('finance', 'UTC') RETURNING id),
          w AS (INSERT INTO workflow (workspace_id, name, draft) SELECT id, 'w', '{}' FROM s RETURNING *),
          v AS (INSERT INTO workflow_version (workflow_id, version, spec, timezone, first_bizdate)
                SELECT id, 7, '{}', 'UTC', '2026-11-21' FROM w RETURNING id),
          g AS (INSERT INTO run_group (workspace_id, kind, name, plan_day)
                SELECT id, 'backfill', name, '2026-11-19' FROM s, unnest('{half,whole}'::text[]) name
                RETURNING *),
          r AS (INSERT INTO workflow_instance (plan_day, workspace_id, workflow_id, version_id, run_group_id,
                       bizdate)
                SELECT g.plan_day, w.workspace_id, w.id, v.id, g.id, '2026-11-01' FROM g, w, v RETURNING *),
          b AS (INSERT INTO backfill (run_group_id, workspace_id, plan_day, state, parallelism, timezone,
                       making)
                SELECT g.id, g.workspace_id, g.plan_day, 'running', 1, 'UTC',
                       CASE g.name WHEN 'half' THEN jsonb_build_object('digest', 'd', 'version',
                         jsonb_build_object('versionId', v.id, 'workflowId', w.id)) END FROM g, w, v)
     INSERT INTO backfill_date (run_group_id, no, bizdate, workflow_instance_id, instances, state)
     SELECT r.run_group_id, 0, r.bizdate, r.id, 1, 'open' FROM r
     UNION ALL SELECT g.id, 1, '2026-11-02', NULL, 1, 'waiting' FROM g WHERE g.name = 'half'`,
  );

  await migrate(store.url);

  expect(
    await store.database.rows(
      `SELECT g.name, v.version, b.making, d.no, d.workflow_instance_ids = ARRAY[r.id] AS own
         FROM backfill b JOIN run_group g ON g.id = b.run_group_id
         JOIN workflow_version v ON ARRAY[v.id] = b.version_ids
         JOIN backfill_date d USING (run_group_id) JOIN workflow_instance r USING (run_group_id)
        ORDER BY g.name, d.no`,
    ),
  ).toEqual([
    { name: 'half', version: 7, making: { names: ['w'] }, no: 0, own: true },
    { name: 'half', version: 7, making: { names: ['w'] }, no: 1, own: null },
    { name: 'whole', version: 7, making: null, no: 0, own: true },
  ]);
});
