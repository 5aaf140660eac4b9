import type {
  AttemptIdentity,
  Mapping,
  ResolvedDataSource,
  Row,
  TableSchema,
  WriterPlugin,
} from '@millrace/sdk';
import { describe, expect, test } from '@jest/globals';
import { expectManifest, expectNothingLeft, parseConfig } from './config-check.js';
import { SimulatedCrash, crashAt } from './fault-point.js';
import { publish, sortedRows, writeAll } from './row-copy.js';
import type { RunOptions } from './run-context.js';
import { makeWriteContext } from './run-context.js';

export interface WriterFixture extends AsyncDisposable {
  readonly dataSource: ResolvedDataSource;
  readonly source: TableSchema;
  readonly mapping: Mapping;
  /** Configuration that replaces the scope of `rows`; the target holds `others` beside it at the start. */
  readonly replace: unknown;
  /** Configuration that adds. */
  readonly append: unknown;
  /** Good rows, at least 30, in mapping order. */
  readonly rows: readonly Row[];
  readonly others: readonly Row[];
  /** Rows that must be quarantined, each for a reason of its own; among them some only the server sees. */
  readonly dirty: readonly Row[];
  /** A configuration that names what is not there, and the code it must give. */
  readonly missing: { readonly config: unknown; readonly code: string };
  /** All rows of the target, in mapping order. */
  readonly read: () => Promise<readonly Row[]>;
  /** Staging tables, connections and statements of these jobs that are still there. */
  readonly leftovers: () => Promise<readonly string[]>;
  /** The scheduled times the ledger has rows of, sorted; an empty one is the node's own row. */
  readonly ledger: () => Promise<readonly string[]>;
}

export interface WriterContract {
  readonly writer: WriterPlugin;
  /** With how many writers the suite is run; default 1 and 3. */
  readonly writers?: readonly number[];
  readonly open: () => Promise<WriterFixture>;
}

const SCHEDULED_TIMES = [
  '2024-03-02T00:00:00Z',
  '2024-03-03T00:00:00Z',
  '2024-03-04T00:00:00Z',
  '2024-03-05T00:00:00Z',
] as const;

/** The contract of a writer with a ledger, against a real system. */
export function describeWriter(name: string, contract: WriterContract): void {
  const writer = contract.writer as unknown as WriterPlugin<unknown, unknown>;
  const openJob = async (fixture: WriterFixture, raw: unknown, options: RunOptions) => {
    const ctx = makeWriteContext<unknown>(fixture.dataSource, fixture.mapping, options);
    return { ctx, job: await writer.open(await parseConfig(writer.config, raw), ctx) };
  };
  const run = async (
    fixture: WriterFixture,
    raw: unknown,
    options: RunOptions,
    rows = fixture.rows,
  ) => {
    const { job, ctx } = await openJob(fixture, raw, options);
    return { ctx, stats: await publish(job, rows, options.writers ?? 1) };
  };
  const expectTarget = async (fixture: WriterFixture, rows: readonly Row[]) =>
    expect(sortedRows(await fixture.read())).toEqual(sortedRows([...fixture.others, ...rows]));

  describe(`the writer ${name}`, () => {
    test('has a manifest whose examples are valid', () => expectManifest(writer));

    test('says with a code that something is missing, before it writes', async () => {
      await using fixture = await contract.open();
      await expect(run(fixture, fixture.missing.config, {})).rejects.toMatchObject({
        code: fixture.missing.code,
      });
      await expectTarget(fixture, []);
      await expectNothingLeft(fixture.leftovers);
    });

    for (const writers of contract.writers ?? [1, 3]) {
      const of = (identity: Partial<AttemptIdentity>, more: RunOptions = {}): RunOptions => ({
        ...more,
        writers,
        identity,
      });

      describe(`with ${writers} writer(s)`, () => {
        test('shows nothing before it publishes, and then every cell unchanged', async () => {
          await using fixture = await contract.open();
          const { job } = await openJob(fixture, fixture.replace, of({}));
          const { findings } = await job.check(fixture.source);
          expect(findings.filter((f) => f.level === 'error')).toEqual([]);
          expect(await job.prepare()).toHaveProperty('strategy');
          await writeAll(job, fixture.rows, writers);
          await expectTarget(fixture, []);
          expect((await job.finalize()).rowsPublished).toBe(fixture.rows.length);
          await expectTarget(fixture, fixture.rows);
          await expectNothingLeft(fixture.leftovers);
        });

        test('quarantines each bad row once with a reason, and writes the others', async () => {
          await using fixture = await contract.open();
          const mixed = fixture.rows.flatMap((row, i) => {
            const bad = i % 3 === 0 ? fixture.dirty[i / 3] : undefined;
            return bad === undefined ? [row] : [row, bad];
          });
          const options = of({}, { dirtyLimit: fixture.dirty.length });
          const { ctx, stats } = await run(fixture, fixture.replace, options, mixed);
          expect(sortedRows(ctx.dirty.map((d) => d.cells))).toEqual(sortedRows(fixture.dirty));
          expect(ctx.dirty.filter((d) => d.code === '' || d.reason === '')).toEqual([]);
          expect(stats.rowsPublished).toBe(fixture.rows.length);
          await expectTarget(fixture, fixture.rows);
        });

        test('fails above the limit of dirty rows, and the target keeps what it had', async () => {
          await using fixture = await contract.open();
          await run(fixture, fixture.replace, of({}));
          const rows = [...fixture.rows.slice(1), ...fixture.dirty];
          const second = of({ runNumber: 2, fence: '2' });
          await expect(run(fixture, fixture.replace, second, rows)).rejects.toMatchObject({
            code: 'MR-D201',
          });
          await expectTarget(fixture, fixture.rows);
          await expectNothingLeft(fixture.leftovers);
        });

        test('a rerun replaces what the run before it wrote', async () => {
          await using fixture = await contract.open();
          await run(fixture, fixture.replace, of({}));
          const fewer = fixture.rows.slice(2);
          const second = of({ runNumber: 2, fence: '2' });
          const { stats } = await run(fixture, fixture.replace, second, fewer);
          expect(stats).toEqual({ rowsDeleted: fixture.rows.length, rowsPublished: fewer.length });
          await expectTarget(fixture, fewer);
        });

        test('two nodes that replace the same rows at once leave the rows of one of them', async () => {
          await using fixture = await contract.open();
          for (let round = 0; round < 5; round++) {
            const runs = ['one', 'other'].map((nodeId) => {
              const instanceId = `${nodeId}${round}`;
              return run(fixture, fixture.replace, of({ nodeId, instanceId }));
            });
            const ends = await Promise.allSettled(runs);
            const refused = ends.filter((end) => end.status === 'rejected');
            // Losing the race may cost an attempt, which comes again by itself; never a row.
            for (const { reason } of refused)
              expect(`${reason.code} ${reason.message}`).toMatch(/^MR-D(?:109|210) /);
            expect(refused.length).toBeLessThan(2);
            await expectTarget(fixture, fixture.rows);
          }
        });

        test('a run that has been published is not written again, not even by appending', async () => {
          await using fixture = await contract.open();
          const first = await run(fixture, fixture.append, of({}));
          const { job } = await openJob(fixture, fixture.append, of({ attempt: 2, fence: '2' }));
          expect(await job.prepare()).toEqual({ published: first.stats });
          await expectTarget(fixture, fixture.rows);
          await expectNothingLeft(fixture.leftovers);
        });

        test('an older attempt is refused once a newer one has begun', async () => {
          await using fixture = await contract.open();
          const old = await openJob(fixture, fixture.append, of({ fence: '9' }));
          await old.job.prepare();
          const writing = writeAll(old.job, fixture.rows, writers);
          await writing;
          await run(fixture, fixture.append, of({ attempt: 2, fence: '10' }));
          const late = old.job.finalize();
          // Its connection was ended, or the ledger has seen the larger fence.
          await expect(late).rejects.toMatchObject({
            code: expect.stringMatching(/^MR-D(?:203|109)$/),
          });
          await old.job.abort(new Error('late'));
          await expect(run(fixture, fixture.append, of({ fence: '9' }))).rejects.toMatchObject({
            code: 'MR-D203',
          });
          await expectTarget(fixture, fixture.rows);
          await expectNothingLeft(fixture.leftovers);
        });

        test('the ledger rows of finished runs go with the next run of their node, others stay', async () => {
          await using fixture = await contract.open();
          const [first, second, third, fourth] = SCHEDULED_TIMES;
          await run(fixture, fixture.replace, of({ scheduledTime: first, fence: '1' }));
          await run(fixture, fixture.replace, of({ scheduledTime: second, fence: '2' }));
          await run(fixture, fixture.replace, of({ nodeId: '2', fence: '3' }));
          expect(await fixture.ledger()).toEqual([first, first, second]);
          const settledFence = '1';
          const next = of({ scheduledTime: third, fence: '4', settledFence });
          await run(fixture, fixture.replace, next);
          expect(await fixture.ledger()).toEqual(['', first, second, third]);
          await run(
            fixture,
            fixture.replace,
            of({ scheduledTime: fourth, fence: '5', settledFence: '4' }),
          );
          // The other node's is not this one's to remove.
          expect(await fixture.ledger()).toEqual(['', first, fourth]);
        });

        test('an attempt of a finished run is refused although its ledger row is gone', async () => {
          await using fixture = await contract.open();
          const [first, second] = SCHEDULED_TIMES;
          const old = await openJob(fixture, fixture.replace, of({ scheduledTime: first }));
          await old.job.prepare();
          await writeAll(old.job, fixture.rows, writers);
          const newer = of({ scheduledTime: first, attempt: 2, fence: '2' });
          await run(fixture, fixture.replace, newer);
          const next = of({ scheduledTime: second, fence: '3', settledFence: '2' });
          await run(fixture, fixture.replace, next, fixture.rows.slice(1));
          expect(await fixture.ledger()).toEqual(['', second]);
          // Frozen before it published, and frozen before it had even claimed.
          await expect(old.job.finalize()).rejects.toMatchObject({
            code: expect.stringMatching(/^MR-D(?:203|109)$/),
          });
          await old.job.abort(new Error('late'));
          await expect(
            run(fixture, fixture.replace, of({ scheduledTime: first })),
          ).rejects.toMatchObject({ code: 'MR-D203' });
          await expectTarget(fixture, fixture.rows.slice(1));
          await expectNothingLeft(fixture.leftovers);
        });

        for (const point of [
          'writer:chunk-written',
          'writer:before-ledger',
          'writer:before-commit',
        ]) {
          test(`a crash at ${point} leaves the target as it was, and the retry writes each row once`, async () => {
            await using fixture = await contract.open();
            const first = of({}, { crashPoint: crashAt(point) });
            await expect(run(fixture, fixture.append, first)).rejects.toBeInstanceOf(
              SimulatedCrash,
            );
            await expectTarget(fixture, []);
            await run(fixture, fixture.append, of({ attempt: 2, fence: '2' }));
            await expectTarget(fixture, fixture.rows);
            await expectNothingLeft(fixture.leftovers);
          });
        }

        test('a crash after the commit does not write twice', async () => {
          await using fixture = await contract.open();
          const first = of({}, { crashPoint: crashAt('writer:after-commit') });
          await expect(run(fixture, fixture.append, first)).rejects.toBeInstanceOf(SimulatedCrash);
          const { stats } = await run(fixture, fixture.append, of({ attempt: 2, fence: '2' }));
          expect(stats.rowsPublished).toBe(fixture.rows.length);
          await expectTarget(fixture, fixture.rows);
          await expectNothingLeft(fixture.leftovers);
        });

        test('a stop leaves the target as it was and nothing behind', async () => {
          await using fixture = await contract.open();
          const stop = new AbortController();
          const reason = new Error('stopped by the test');
          const options = of(
            {},
            {
              signal: stop.signal,
              crashPoint: (point) => {
                if (point === 'writer:chunk-written') stop.abort(reason);
                return Promise.resolve();
              },
            },
          );
          await expect(run(fixture, fixture.replace, options)).rejects.toBe(reason);
          await expectTarget(fixture, []);
          await expectNothingLeft(fixture.leftovers);
        });
      });
    }
  });
}
