import type { Mapping } from '@millrace/sdk';
import { describe, expect, test } from '@jest/globals';
import { expectNothingLeft, makeWriteContext } from '@millrace/testkit';
import { logicalTypeOf } from './column-type.js';
import type { World } from './testing/world.js';
import { openWorld } from './testing/world.js';
import { PostgresWriterJob } from './writer-job.js';

const TYPES = { id: 'integer', chunk: 'integer', filler: 'text' };
const MAPPING: Mapping = {
  columns: Object.entries(TYPES).map(([name, type]) => ({
    source: { name, nativeType: type, type: logicalTypeOf(type), nullable: true },
    target: name,
  })),
};
const PER_CHUNK = 5_000;
const TABLE = 'CREATE TABLE t (id int PRIMARY KEY, chunk int, filler text)';
/** All chunks of a test in one COPY, and each in one of its own. */
const FILLERS = [
  { which: 'together', filler: '' },
  { which: 'one behind the other', filler: 'x'.repeat(1024) },
];
/** Which chunks the table has, in the order in which their first rows lie in it. */
const PLACES = `SELECT string_agg(chunk::text, '' ORDER BY first) AS places, sum(n)::int AS rows
  FROM (SELECT chunk, min(ctid) AS first, count(*) AS n FROM t GROUP BY chunk) AS chunks`;

/** A chunk of ids of its own; `taken`: one of them is what another row has. */
function chunkOf(no: number, taken?: number): readonly number[] {
  const ids = Array.from({ length: PER_CHUNK }, (_, at) => no * PER_CHUNK + at);
  return taken === undefined ? ids : ids.with(7, taken);
}

/** Hands chunks of lines to a task one behind the other, as a channel does. */
async function loadAll(world: World, filler: string, chunks: readonly (readonly number[])[]) {
  const ctx = makeWriteContext(world.dataSource, MAPPING, { dirtyLimit: 10 });
  const job = new PostgresWriterJob({ table: 't', mode: 'append' }, ctx);
  await job.prepare();
  const task = await job.open(0);
  await task.begin({ no: 0, bounds: undefined, label: 'all' });
  for (const [no, ids] of chunks.entries()) {
    const data = Buffer.from(ids.map((id) => `${id}\t${no}\t${filler}\n`).join(''));
    await task.write({ lane: 'pg-copy-text', data, rowCount: ids.length, byteCount: data.length });
  }
  const { rows } = await task.flush();
  await task.commit();
  await task.close();
  await job.finalize();
  await expectNothingLeft(world.leftovers);
  return { rows, dirty: ctx.dirty, stored: (await world.sql(PLACES))[0] };
}

describe.each(FILLERS)('chunks that are sent $which', ({ filler }) => {
  test('stay in order behind one with refused rows, and are loaded once', async () => {
    await using world = await openWorld(TABLE);
    const chunks = [chunkOf(0), chunkOf(1, 3), chunkOf(2), chunkOf(3)];
    const { rows, dirty, stored } = await loadAll(world, filler, chunks);
    expect(rows).toBe(4 * PER_CHUNK - 1);
    expect(stored).toEqual({ places: '0123', rows });
    expect(dirty).toMatchObject([{ cells: ['3', '1', filler], code: '23505' }]);
  });

  test('tell of refused rows of the last one, and of several in a row, before the end', async () => {
    await using world = await openWorld(TABLE);
    const chunks = [chunkOf(0), chunkOf(1, 3), chunkOf(2, 4), chunkOf(3), chunkOf(4, 5)];
    const { rows, dirty, stored } = await loadAll(world, filler, chunks);
    expect(rows).toBe(5 * PER_CHUNK - 3);
    expect(stored).toEqual({ places: '01234', rows });
    expect(dirty.map(({ cells }) => cells.slice(0, 2).join(' '))).toEqual(['3 1', '4 2', '5 4']);
  });

  test('leave nothing when the slice is rolled back, and the task takes the slice again', async () => {
    await using world = await openWorld(TABLE);
    const ctx = makeWriteContext(world.dataSource, MAPPING);
    const job = new PostgresWriterJob({ table: 't', mode: 'append' }, ctx);
    await job.prepare();
    const task = await job.open(0);
    const write = async (no: number): Promise<void> => {
      const data = Buffer.from(
        chunkOf(no)
          .map((id) => `${id}\t${no}\t${filler}\n`)
          .join(''),
      );
      const size = { rowCount: PER_CHUNK, byteCount: data.length };
      await task.write({ lane: 'pg-copy-text', data, ...size });
    };
    await task.begin({ no: 0, bounds: undefined, label: 'all' });
    for (const no of [0, 1, 2]) await write(no);
    await task.rollback();
    await task.begin({ no: 0, bounds: undefined, label: 'all' });
    await write(3);
    expect(await task.flush()).toMatchObject({ rows: PER_CHUNK });
    await task.commit();
    await task.close();
    await job.finalize();
    expect((await world.sql(PLACES))[0]).toEqual({ places: '3', rows: PER_CHUNK });
  });
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
      .map((id) => `${id}\t0\t\n`)
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
      const lines = chunkOf(first).map((id) => `${id}\t${first}\t\n`);
      await task.write({ ...chunk, data: Buffer.from(lines.join('')) });
    }
    await task.flush();
  };
  await expect(goOn()).rejects.toMatchObject({ code: expect.stringMatching(/^MR-D/) });
  await task.close();
  await job.abort(new Error('failed'));
  expect((await world.sql(PLACES))[0]).toEqual({ places: null, rows: null });
});

describe('chunks of several slices in turns, over one connection', () => {
  /** Each slice writes its chunks in turns with the others. Resolves to the rows that each was told of. */
  async function loadInTurns(world: World, slices: readonly (readonly (readonly number[])[])[]) {
    const ctx = makeWriteContext(world.dataSource, MAPPING, {
      dirtyLimit: 10,
      writers: slices.length,
    });
    const job = new PostgresWriterJob({ table: 't', mode: 'append' }, ctx);
    await job.prepare();
    const rows = await Promise.all(
      slices.map(async (chunks, no) => {
        const task = await job.open(no);
        await task.begin({ no, bounds: undefined, label: `slice ${no}` });
        for (const ids of chunks) {
          const data = Buffer.from(ids.map((id) => `${id}\t${no}\t\n`).join(''));
          const size = { rowCount: ids.length, byteCount: data.length };
          await task.write({ lane: 'pg-copy-text', data, ...size });
        }
        const acked = await task.flush();
        await task.commit();
        await task.close();
        return acked.rows;
      }),
    );
    const { rowsPublished } = await job.finalize();
    await expectNothingLeft(world.leftovers);
    return { rows, rowsPublished, dirty: ctx.dirty };
  }

  test('each slice is told of its own rows, and refused ones are kept with theirs', async () => {
    await using world = await openWorld(TABLE);
    const { rows, rowsPublished, dirty } = await loadInTurns(world, [
      [chunkOf(0), chunkOf(1), chunkOf(2)],
      [chunkOf(3), chunkOf(4, 4 * PER_CHUNK + 8)],
      [chunkOf(5)],
      [],
    ]);
    expect(rows).toEqual([3 * PER_CHUNK, 2 * PER_CHUNK - 1, PER_CHUNK, 0]);
    expect(rowsPublished).toBe(6 * PER_CHUNK - 1);
    expect(dirty).toMatchObject([{ sliceNo: 1, cells: [`${4 * PER_CHUNK + 8}`, '1', ''] }]);
    const stored = await world.sql('SELECT chunk, count(*)::int AS n FROM t GROUP BY 1 ORDER BY 1');
    expect(stored.map((row) => row['n'])).toEqual(rows.filter((n) => n > 0));
  });

  test('a row that a trigger leaves out is missing in the sum', async () => {
    await using world = await openWorld(TABLE);
    await world.sql(
      `CREATE FUNCTION leave_out() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN IF NEW.id = 7 THEN RETURN NULL; END IF; RETURN NEW; END $$;
       CREATE TRIGGER leave_out BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION leave_out()`,
    );
    const { rows } = await loadInTurns(world, [[chunkOf(0)], [chunkOf(1)]]);
    expect(rows.reduce((sum, each) => sum + each, 0)).toBe(2 * PER_CHUNK - 1);
  });
});
