import type { ReaderJob, ReaderPlugin, ResolvedDataSource, Row } from '@millrace/sdk';
import { describe, expect, test } from '@jest/globals';
import { expectManifest, expectNothingLeft, parseConfig } from './config-check.js';
import { CollectingSink, readAll, sortedRows } from './row-copy.js';
import type { RunOptions } from './run-context.js';
import { makeJobContext } from './run-context.js';

export interface ReaderFixture extends AsyncDisposable {
  readonly dataSource: ResolvedDataSource;
  /** Reads `rows`; split by a key, with NULL keys among them, where the reader can split. */
  readonly config: unknown;
  /** Canonical cells, in any order; more than fit in one chunk of 4 KB. */
  readonly rows: readonly Row[];
  /** A configuration that names what is not there, and the code it must give. */
  readonly missing: { readonly config: unknown; readonly code: string };
  /** A read that goes on until it is stopped. */
  readonly endless?: unknown;
  /** Adds rows to the source, for the snapshot. */
  readonly change?: () => Promise<void>;
  /** What still runs or lies about for these jobs. */
  readonly leftovers: () => Promise<readonly string[]>;
}

export interface ReaderContract {
  readonly reader: ReaderPlugin;
  readonly open: () => Promise<ReaderFixture>;
}

/** The contract of a reader, against a real system. */
export function describeReader(name: string, contract: ReaderContract): void {
  const reader = contract.reader as unknown as ReaderPlugin<unknown, unknown>;
  const openJob = async (fixture: ReaderFixture, raw: unknown, options: RunOptions = {}) =>
    reader.open(
      await parseConfig(reader.config, raw),
      makeJobContext<unknown>(fixture.dataSource, options),
    );

  describe(`the reader ${name}`, () => {
    test('has a manifest whose examples are valid', () => expectManifest(reader));

    test.each([1, 3, 8])('reads every row exactly once in %i slices', async (count) => {
      await using fixture = await contract.open();
      const job = await openJob(fixture, fixture.config);
      const schema = await job.describe();
      expect((await job.check()).filter((f) => f.level === 'error')).toEqual([]);
      const { perSlice } = await readAll(job, count);
      await job.close('succeeded');
      const rows = perSlice.flatMap((s) => s.rows);
      expect(rows[0]).toHaveLength(schema.columns.length);
      expect(sortedRows(rows)).toEqual(sortedRows(fixture.rows));
      await expectNothingLeft(fixture.leftovers);
    });

    test('hands out one chunk at a time and waits for credit', async () => {
      await using fixture = await contract.open();
      const job = await openJob(fixture, fixture.config);
      await job.describe();
      const { perSlice } = await readAll(job, 1);
      await job.close('succeeded');
      expect(perSlice[0]?.chunks).toBeGreaterThan(1);
      expect(perSlice.map((s) => s.mostAtOnce)).toEqual(
        perSlice.map((s) => (s.chunks > 0 ? 1 : 0)),
      );
    });

    test('says with a code that something is missing, before it reads', async () => {
      await using fixture = await contract.open();
      const job = await openJob(fixture, fixture.missing.config);
      expect(await codeOfMissing(job)).toBe(fixture.missing.code);
      await job.close('failed');
      await expectNothingLeft(fixture.leftovers);
    });

    test('ends at once when it is stopped, with the reason of the stop, and leaves nothing running', async () => {
      await using fixture = await contract.open();
      if (fixture.endless === undefined) return;
      const stop = new AbortController();
      const job = await openJob(fixture, fixture.endless, { signal: stop.signal });
      await job.describe();
      const task = await job.open(0);
      const reason = new Error('stopped by the test');
      for await (const slice of job.slices({ count: 1 })) {
        const reading = task.read(slice, new CollectingSink(), stop.signal);
        setTimeout(() => stop.abort(reason), 200);
        await expect(reading).rejects.toBe(reason);
      }
      await task.close();
      await job.close('failed');
      await expectNothingLeft(fixture.leftovers);
    });

    test('does not see rows that are added after the snapshot was pinned', async () => {
      await using fixture = await contract.open();
      const job = await openJob(fixture, fixture.config);
      await job.describe();
      const snapshot = await job.pinSnapshot?.(2);
      if (snapshot?.consistent === true && fixture.change !== undefined) {
        await fixture.change();
        const { perSlice } = await readAll(job, 3);
        expect(sortedRows(perSlice.flatMap((s) => s.rows))).toEqual(sortedRows(fixture.rows));
      }
      await job.close('succeeded');
      await expectNothingLeft(fixture.leftovers);
    });
  });
}

async function codeOfMissing(job: ReaderJob): Promise<string | undefined> {
  try {
    await job.describe();
    return (await job.check()).find((f) => f.level === 'error')?.code;
  } catch (error) {
    return (error as { code?: string }).code;
  }
}
