import { setTimeout as sleep } from 'node:timers/promises';

import { expect, test } from '@jest/globals';

import type { Sql } from '../../../src/store/session.js';
import { ensurePartitions } from '../../../src/store/sql/ensure-partitions.sql.js';
import { keyArrays } from '../../../src/store/sql/instance-row.js';
import { lockWaiting } from '../../../src/store/sql/lock-instances.sql.js';
import { openStore } from '../../support/store.js';

const KEY = { planDay: '2026-11-21', id: 1 };
const DUE = `INSERT INTO due_instance (plan_day, instance_id, due_at) VALUES ($1, $2, now())`;

/** What the server keeps of `lockWaiting` on this connection. */
async function keptPlan(tx: Sql): Promise<{ name: string; generic: number; custom: number }[]> {
  return await tx.rows(
    `SELECT name, generic_plans::int AS generic, custom_plans::int AS custom FROM pg_prepared_statements
      WHERE statement LIKE '%FROM node_instance i%' AND statement NOT LIKE '%pg_prepared%'`,
  );
}

test('a statement of few rows is planned once, and its plan reads one partition of all there are', async () => {
  await using store = await openStore();
  await ensurePartitions(store.database, KEY.planDay, KEY.planDay);
  await store.database.few.transaction(async (tx) => {
    for (let times = 0; times < 3; times++) await lockWaiting(tx, [KEY]);
    const [kept] = await keptPlan(tx);
    expect(kept).toMatchObject({ generic: 3, custom: 0 });
    const [days, ids] = keyArrays([KEY]);
    const plan = await tx.rows<{ 'QUERY PLAN': string }>(
      `EXPLAIN (COSTS OFF) EXECUTE ${kept?.name} ('{${days.join()}}', '{${ids.join()}}')`,
    );
    const text = plan.map((line) => line['QUERY PLAN']).join('\n');
    expect(text).toContain('Subplans Removed');
    expect(text.match(/Index Scan using/g)).toHaveLength(1);
  });
});

test('what turns out to be of many rows is planned for its values, and the next transaction is not', async () => {
  await using store = await openStore();
  const { few } = store.database;
  const mode = async (tx: Sql): Promise<string | undefined> =>
    (await tx.rows<{ mode: string }>(`SELECT current_setting('plan_cache_mode') AS mode`))[0]?.mode;
  await few.transaction(async (tx) => {
    expect(tx.keepsPlans).toBe(true);
    await tx.expectMany();
    expect(tx.keepsPlans).toBe(false);
    await lockWaiting(tx, [KEY]);
    expect(await keptPlan(tx)).toEqual([]);
    expect(await mode(tx)).toBe('auto');
  });
  expect(await few.transaction(mode)).toBe('force_generic_plan');
});

test('a connection that is lost between two statements is replaced, and its transaction fails', async () => {
  await using store = await openStore();
  const { few } = store.database;
  const pidOf = async (sql: Pick<Sql, 'rows'>): Promise<number | undefined> =>
    (await sql.rows<{ pid: number }>('SELECT pg_backend_pid() AS pid'))[0]?.pid;
  await expect(
    few.transaction(async (tx) => {
      await store.database.run('SELECT pg_terminate_backend($1)', [await pidOf(tx)]);
      await lockWaiting(tx, [KEY]);
    }),
  ).rejects.toThrow();
  expect(await few.transaction((tx) => lockWaiting(tx, [KEY]))).toEqual([]);
});

test('a transaction of few rows that fails leaves nothing behind', async () => {
  await using store = await openStore();
  const { few } = store.database;
  await expect(
    few.transaction(async (tx) => {
      await tx.run(
        `INSERT INTO due_instance (plan_day, instance_id, due_at) VALUES ($1, $2, now())`,
        [KEY.planDay, KEY.id],
      );
      throw new Error('no');
    }),
  ).rejects.toThrow('no');
  expect(await few.rows('SELECT FROM due_instance')).toEqual([]);
});

test('a statement that nobody waits for fails its transaction with its own error', async () => {
  await using store = await openStore();
  const { few } = store.database;
  const values = [KEY.planDay, KEY.id];
  await expect(
    few.transaction(async (tx) => {
      await tx.send(DUE, values);
      await tx.send(DUE, values);
    }),
  ).rejects.toMatchObject({ code: '23505' });
  await expect(
    few.transaction(async (tx) => {
      await tx.send(DUE, values);
      await tx.send(DUE, values);
      await tx.rows('SELECT FROM due_instance');
    }),
  ).rejects.toMatchObject({ code: '23505' });
  expect(await few.rows('SELECT FROM due_instance')).toEqual([]);
  await few.transaction((tx) => tx.send(DUE, values));
  expect(await few.rows('SELECT FROM due_instance')).toHaveLength(1);
});

test('a deadlock of statements that nobody waits for is tried again', async () => {
  await using store = await openStore();
  const { few } = store.database;
  for (const id of [1, 2]) await few.run(DUE, [KEY.planDay, id]);
  const touch = `UPDATE due_instance SET due_at = due_at + interval '1 s' WHERE instance_id = $1`;
  let tries = 0;
  const arrived: (() => void)[] = [];
  const crossing = (ids: readonly [number, number]): Promise<void> =>
    few.transaction(async (tx) => {
      tries++;
      await tx.run(touch, [ids[0]]);
      // Both of them hold one before either asks for the other.
      if (tries <= 2)
        await new Promise<void>((resolve) => {
          arrived.push(resolve);
          if (arrived.length === 2) for (const go of arrived) go();
        });
      await tx.send(touch, [ids[1]]);
    });
  await Promise.all([crossing([1, 2]), crossing([2, 1])]);
  expect(tries).toBe(3);
});

test('a deadlock of a statement that is waited for, with one behind it that is not, is tried again', async () => {
  await using store = await openStore();
  const { few } = store.database;
  for (const id of [1, 2]) await few.run(DUE, [KEY.planDay, id]);
  const hold = 'SELECT FROM due_instance WHERE instance_id = $1 FOR UPDATE';
  const touch = `UPDATE due_instance SET due_at = due_at + interval '1 s' WHERE instance_id = $1`;
  const { crossing } = await store.database.transaction(async (tx) => {
    await tx.run(`SET LOCAL deadlock_timeout = '60s'`);
    await tx.rows(hold, [2]);
    const crossed = few.transaction(async (other) => {
      await other.rows(hold, [1]);
      await Promise.all([other.rows(hold, [2]), other.send(touch, [1])]);
    });
    await untilOneWaits(store);
    await tx.rows(hold, [1]);
    return { crossing: crossed };
  });
  await expect(crossing).resolves.toBeUndefined();
});

test.each(['few', 'any number'])(
  'a lone statement of %s rows that the server ended in a deadlock is tried again',
  async (which) => {
    await using store = await openStore();
    const { database } = store;
    for (const id of [1, 2]) await database.run(DUE, [KEY.planDay, id]);
    const both = `UPDATE due_instance SET due_at = due_at + interval '1 s' WHERE instance_id = ANY($1)`;
    const hold = 'SELECT FROM due_instance WHERE instance_id = $1 FOR UPDATE';
    const { changing } = await database.transaction(async (tx) => {
      // Not this one: the other is the first to find the deadlock.
      await tx.run(`SET LOCAL deadlock_timeout = '60s'`);
      await tx.rows(hold, [2]);
      const changed = (which === 'few' ? database.few : database).run(both, [[1, 2]]);
      await untilOneWaits(store);
      await tx.rows(hold, [1]);
      return { changing: changed };
    });
    await expect(changing).resolves.toBe(2);
  },
);

async function untilOneWaits({ database }: Awaited<ReturnType<typeof openStore>>): Promise<void> {
  for (;;) {
    const waiting = await database.rows(
      `SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    if (waiting.length > 0) return;
    await sleep(10);
  }
}
