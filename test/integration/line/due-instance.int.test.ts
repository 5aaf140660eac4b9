import { expect, test } from '@jest/globals';

import { nextDueAt, releaseDue } from '../../../src/store/sql/release-due.sql.js';
import { Line, node } from '../../support/line.js';

test('a due row whose instance is gone is removed and keeps no releaser busy', async () => {
  await using line = await Line.open();
  await line.database.run(
    `INSERT INTO due_instance (plan_day, instance_id, due_at) VALUES ('2026-11-20', 4711, $1)`,
    [line.clock.now()],
  );
  await line.database.transaction((tx) => releaseDue(tx, line.clock.now(), 500));
  expect(await nextDueAt(line.database)).toBeUndefined();
});

test('an instance that got a later time while the releaser waited for its lock waits for that one', async () => {
  await using line = await Line.open();
  const { workflowId } = await line.submit('w', { nodes: [node('a')] });
  await line.run(workflowId, '2026-11-20');
  const { database, clock } = line;
  let releasing: Promise<number> = Promise.resolve(0);
  await database.transaction(async (tx) => {
    await tx.rows(`SELECT FROM node_instance FOR UPDATE`);
    releasing = database.transaction((other) => releaseDue(other, clock.now(), 500));
    // It has read what is due once it waits for the lock.
    for (let waits = 0; waits === 0;) {
      waits = (await tx.rows(`SELECT FROM pg_locks WHERE NOT granted`)).length;
    }
    // As another scheduler, a worker and a failure with a retry together would.
    await tx.run(`UPDATE node_instance SET status = 'retry_wait'`);
    await tx.run(`UPDATE due_instance SET due_at = $1::timestamptz + interval '1 hour'`, [
      clock.now(),
    ]);
  });
  await releasing;
  expect(await line.statuses()).toEqual({ a: 'retry_wait' });
  clock.advance(3_600_000);
  await line.release();
  expect(await line.statuses()).toEqual({ a: 'waiting_resource' });
});
