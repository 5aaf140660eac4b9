import type { Mapping } from '@millrace/sdk';
import { expect, test } from '@jest/globals';
import { expectNothingLeft, makeWriteContext } from '@millrace/testkit';
import { logicalTypeOf } from './column-type.js';
import type { World } from './testing/world.js';
import { openWorld } from './testing/world.js';
import { PostgresWriterJob } from './writer-job.js';

const MAPPING: Mapping = {
  columns: ['id', 'chunk'].map((name) => ({
    source: { name, nativeType: 'integer', type: logicalTypeOf('integer'), nullable: true },
    target: name,
  })),
};
const PER_CHUNK = 5_000;
const TABLE = 'CREATE TABLE t (id int PRIMARY KEY, chunk int)';
/** Which chunks the table has, in the order in which their first rows lie in it. */
const PLACES = `SELECT string_agg(chunk::text, '' ORDER BY first) AS places, sum(n)::int AS rows
  FROM (SELECT chunk, min(ctid) AS first, count(*) AS n FROM t GROUP BY chunk) AS chunks`;

/** A chunk of ids of its own; `taken`: one of them is what another row has. */
function chunkOf(no: number, taken?: number): readonly number[] {
  const ids = Array.from({ length: PER_CHUNK }, (_, at) => no * PER_CHUNK + at);
  return taken === undefined ? ids : ids.with(7, taken);
}

/** Hands chunks of lines to a task one behind the other, as a channel does. */
async function loadAll(world: World, chunks: readonly (readonly number[])[]) {
  const ctx = makeWriteContext(world.dataSource, MAPPING, { dirtyLimit: 10 });
  const job = new PostgresWriterJob({ table: 't', mode: 'append' }, ctx);
  await job.prepare();
  const task = await job.open(0);
  await task.begin({ no: 0, bounds: undefined, label: 'all' });
  for (const [no, ids] of chunks.entries()) {
    const data = Buffer.from(ids.map((id) => `${id}\t${no}\n`).join(''));
    await task.write({ lane: 'pg-copy-text', data, rowCount: ids.length, byteCount: data.length });
  }
  const { rows } = await task.flush();
  await task.commit();
  await task.close();
  await job.finalize();
  await expectNothingLeft(world.leftovers);
  return { rows, dirty: ctx.dirty, stored: (await world.sql(PLACES))[0] };
}

test('a chunk that was sent behind one with refused rows is loaded after the good ones of it, once', async () => {
  await using world = await openWorld(TABLE);
  const chunks = [chunkOf(0), chunkOf(1, 3), chunkOf(2), chunkOf(3)];
  const { rows, dirty, stored } = await loadAll(world, chunks);
  expect(rows).toBe(4 * PER_CHUNK - 1);
  expect(stored).toEqual({ places: '0123', rows });
  expect(dirty).toMatchObject([{ cells: ['3', '1'], code: '23505' }]);
});

test('refused rows of the last chunk, and of chunks in a row, are told before the end', async () => {
  await using world = await openWorld(TABLE);
  const chunks = [chunkOf(0), chunkOf(1, 3), chunkOf(2, 4), chunkOf(3), chunkOf(4, 5)];
  const { rows, dirty, stored } = await loadAll(world, chunks);
  expect(rows).toBe(5 * PER_CHUNK - 3);
  expect(stored).toEqual({ places: '01234', rows });
  expect(dirty.map((record) => record.cells)).toEqual(
    ['3 1', '4 2', '5 4'].map((s) => s.split(' ')),
  );
});

test('a server that goes away between two chunks fails the task, and nothing of it stays', async () => {
  await using world = await openWorld(TABLE);
  const ctx = makeWriteContext(world.dataSource, MAPPING);
  const job = new PostgresWriterJob({ table: 't', mode: 'append' }, ctx);
  await job.prepare();
  const task = await job.open(0);
  await task.begin({ no: 0, bounds: undefined, label: 'all' });
  const data = Buffer.from(
    chunkOf(0)
      .map((id) => `${id}\t0\n`)
      .join(''),
  );
  const chunk = {
    lane: 'pg-copy-text',
    data,
    rowCount: PER_CHUNK,
    byteCount: data.length,
  } as const;
  await task.write(chunk);
  await world.sql(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name LIKE 'millrace%'`,
  );
  const goOn = async (): Promise<void> => {
    for (const first of [1, 2, 3]) {
      const lines = chunkOf(first).map((id) => `${id}\t${first}\n`);
      await task.write({ ...chunk, data: Buffer.from(lines.join('')) });
    }
    await task.flush();
  };
  await expect(goOn()).rejects.toMatchObject({ code: expect.stringMatching(/^MR-D/) });
  await task.close();
  await job.abort(new Error('failed'));
  expect((await world.sql(PLACES))[0]).toEqual({ places: null, rows: null });
});
