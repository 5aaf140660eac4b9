import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { vacuumQueues } from '../../../src/store/sql/vacuum-queues.sql.js';
import { openStore, type Store } from '../../support/store.js';

describe('the queue cleaner', () => {
  let store: Store;

  beforeAll(async () => {
    store = await openStore();
  });

  afterAll(async () => {
    await store[Symbol.asyncDispose]();
  });

  async function entriesOf(index: string): Promise<number> {
    const [row] = await store.database.rows<{ entries: number }>(
      'SELECT reltuples::int AS entries FROM pg_class WHERE relname = $1',
      [index],
    );
    return row?.entries ?? -1;
  }

  test('takes what is gone out of the queues that have much of it, and leaves the others alone', async () => {
    const { database } = store;
    expect(await vacuumQueues(database)).toEqual([]);
    await database.run(
      `INSERT INTO due_instance (plan_day, instance_id, due_at)
       SELECT '2026-11-21', n, now() FROM generate_series(1, 10000) AS n`,
    );
    await database.run('DELETE FROM due_instance WHERE instance_id > 10');
    await database.run(
      'INSERT INTO event_outbox (workspace_id, type, at, payload) SELECT 1, $1, now(), $2',
      ['x', '{}'],
    );
    let cleaned: string[] = [];
    for (let look = 0; look < 100 && cleaned.length === 0; look++) {
      // Statistics of other sessions arrive up to a second late.
      await new Promise((resolve) => setTimeout(resolve, 100));
      cleaned = await vacuumQueues(database);
    }
    expect(cleaned).toEqual(['due_instance']);
    expect(await entriesOf('ix_due_instance_due')).toBe(10);
    expect(await database.rows('SELECT FROM due_instance')).toHaveLength(10);
  });
});
