import { expect, test } from '@jest/globals';

import { addEvent } from '../../../src/store/repositories/event-repository.js';
import { publishEvents } from '../../../src/store/sql/publish-events.sql.js';
import { Line } from '../../support/line.js';

test('an event that could never be published is refused where it is written', async () => {
  await using line = await Line.open();
  const event = { workspaceId: line.workspaceId, type: 'test' };
  // JSON allows it and JSONB does not: it would have been in the way of all events behind it.
  await expect(
    addEvent(line.database, { ...event, payload: { text: 'a\0b' } }),
  ).rejects.toMatchObject({ code: '22P05' });
  await addEvent(line.database, { ...event, payload: { text: 'ab' } });
  expect(await publishEvents(line.database)).toBe(1);
  expect(await line.database.rows('SELECT payload FROM event')).toEqual([
    { payload: { text: 'ab' } },
  ]);
});

test('what is not numbered yet can be read like what is', async () => {
  await using line = await Line.open();
  await addEvent(line.database, {
    workspaceId: line.workspaceId,
    type: 'instance.status',
    payload: { status: 'ready' },
  });
  expect(
    await line.database.rows(
      `SELECT payload ->> 'status' AS status FROM unnumbered_event WHERE payload @> '{"status":"ready"}'`,
    ),
  ).toEqual([{ status: 'ready' }]);
});
