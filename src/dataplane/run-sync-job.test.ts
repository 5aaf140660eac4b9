import { describe, expect, test } from '@jest/globals';
import type {
  Cell,
  Chunk,
  Column,
  DirtyRecord,
  ReaderPlugin,
  Row,
  Slice,
  SliceHint,
  TargetPlan,
  WriteContext,
  WriterPlugin,
} from '@millrace/sdk';
import { defineReader, defineWriter } from '@millrace/sdk';
import { z } from 'zod';
import { runSyncJob } from './run-sync-job.js';
import type { ChannelControl, SyncJob } from './sync-job.js';

function column(name: string, more: Partial<Column> = {}): Column {
  return { name, nativeType: 'text', type: { kind: 'text' }, nullable: true, ...more };
}

const meta = {
  type: 'memory',
  title: 'Memory',
  config: z.object({}),
  configVersion: 1,
  examples: [],
};

interface SourceOptions {
  readonly columns?: readonly Column[];
  readonly slices: readonly (readonly Row[])[];
  /** Reports this many rows more than it gave. */
  readonly overReport?: number;
  readonly failAtSlice?: number;
  readonly hints?: SliceHint[];
}

function memoryReader(options: SourceOptions, events: string[] = []): ReaderPlugin {
  const columns = options.columns ?? [column('id'), column('name')];
  return defineReader({
    ...meta,
    open: () =>
      Promise.resolve({
        describe: () => Promise.resolve({ table: 'src', columns, primaryKey: [] }),
        check: () => Promise.resolve([]),
        async *slices(hint: SliceHint): AsyncGenerator<Slice> {
          options.hints?.push(hint);
          for (const no of options.slices.keys()) {
            events.push(`slice ${no}`);
            yield { no, bounds: no, label: `part ${no}` };
          }
        },
        open: () =>
          Promise.resolve({
            lanes: ['rows'] as const,
            async read(slice: Slice, out: { write(chunk: Chunk): Promise<void> }) {
              events.push(`read ${slice.no}`);
              if (slice.no === options.failAtSlice) throw new Error('source is gone');
              const rows = options.slices[slice.no] ?? [];
              for (const row of rows) {
                await out.write({ lane: 'rows', rows: [row], rowCount: 1, byteCount: 10 });
              }
              return { rows: rows.length + (options.overReport ?? 0), bytes: rows.length * 10 };
            },
            close: () => Promise.resolve(),
          }),
        close: (outcome) => {
          events.push(`source ${outcome}`);
          return Promise.resolve();
        },
      }),
  });
}

/** A target in memory: rows are visible after `finalize`; a cell `bad` makes its row dirty. */
class MemoryTarget {
  readonly columns: readonly Column[];
  rows: Row[] = [['old', 'row']];
  events: string[] = [];
  isPublished = false;
  mapped: readonly string[] = [];

  constructor(columns: readonly Column[] = [column('id'), column('name')]) {
    this.columns = columns;
  }

  writer(): WriterPlugin {
    return defineWriter({
      ...meta,
      modes: ['truncate'],
      open: (_config: unknown, ctx) => Promise.resolve(this.#job(ctx)),
    });
  }

  #job(ctx: WriteContext) {
    const staged: Row[] = [];
    this.mapped = ctx.mapping.columns.map((c) => `${c.source.name}>${c.target}`);
    return {
      describe: () => Promise.resolve({ table: 'dst', columns: this.columns, primaryKey: [] }),
      check: () => Promise.resolve({ verdicts: [], findings: [] }),
      prepare: () => {
        const plan: TargetPlan = { strategy: 'staging', label: 'memory' };
        const published = { published: { rowsDeleted: 0, rowsPublished: 7 } };
        return Promise.resolve(this.isPublished ? published : plan);
      },
      open: () => Promise.resolve(this.#task(ctx, staged)),
      finalize: () => {
        this.rows = staged;
        this.events.push('finalize');
        return Promise.resolve({ rowsDeleted: 1, rowsPublished: staged.length });
      },
      abort: () => {
        this.events.push('abort');
        return Promise.resolve();
      },
    };
  }

  #task(ctx: WriteContext, staged: Row[]) {
    let pending: Row[] = [];
    let sliceNo = 0;
    const isBad = (cell: Cell): boolean => cell === 'bad';
    return {
      lanes: ['rows'] as const,
      begin: (slice: Slice) => {
        pending = [];
        sliceNo = slice.no;
        return Promise.resolve('fresh' as const);
      },
      write: async (chunk: Chunk) => {
        if (chunk.lane !== 'rows') throw new Error('rows only');
        for (const row of chunk.rows) {
          if (row.some(isBad)) {
            await ctx.quarantine({
              sliceNo,
              cells: row,
              column: 'name',
              code: '22001',
              reason: 'r',
            });
          } else pending.push(row);
        }
      },
      flush: () => Promise.resolve({ rows: pending.length, bytes: 0 }),
      commit: () => {
        this.events.push('commit');
        staged.push(...pending);
        return Promise.resolve();
      },
      rollback: () => {
        this.events.push('rollback');
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
    };
  }
}

interface RunOptions {
  readonly replay?: SyncJob['replay'];
  readonly partition?: SyncJob['partition'];
  readonly channel?: Partial<ChannelControl>;
  readonly localTime?: SyncJob['localTime'];
  readonly mapping?: SyncJob['mapping'];
  readonly signal?: AbortSignal;
  readonly crashPoint?: (name: string) => Promise<void>;
}

function runMemory(source: ReaderPlugin, target: MemoryTarget, options: RunOptions = {}) {
  const dirty: DirtyRecord[] = [];
  const log: string[] = [];
  const note = (text: string): void => void log.push(text);
  const dataSource = { name: 'm', type: 'memory', config: {} };
  const result = runSyncJob({
    reader: source,
    readerConfig: {},
    source: dataSource,
    writer: target.writer(),
    writerConfig: {},
    target: dataSource,
    mapping: options.mapping,
    replay: options.replay,
    partition: options.partition,
    channel: { concurrency: 1, dirtyLimit: { records: 0 }, ...options.channel },
    localTime: options.localTime,
    onDirty: (records) => void dirty.push(...records),
    context: {
      identity: {
        installation: 'i',
        nodeId: '1',
        nodeName: 'n',
        instanceId: '1',
        runNumber: 1,
        attempt: 1,
        fence: '1',
        scheduledTime: '2026-11-21T00:00:00Z',
        bizdate: '2026-11-20',
      },
      parameters: {},
      log: { info: note, warn: note, error: note, write: () => {} },
      signal: options.signal ?? new AbortController().signal,
      progress: () => {},
      crashPoint: options.crashPoint ?? (() => Promise.resolve()),
    },
  });
  return { result, dirty, log };
}

const OLD = [['old', 'row']];

describe('a sync job', () => {
  test('copies every row of every slice once, over several channels', async () => {
    const slices = Array.from({ length: 9 }, (_, s) =>
      Array.from({ length: 50 }, (__, i) => [`${s}-${i}`, null] as const),
    );
    const target = new MemoryTarget();
    const { result, log } = runMemory(memoryReader({ slices }), target, {
      channel: { concurrency: 4 },
    });
    expect(await result).toMatchObject({ rowsRead: 450, rowsWritten: 450, rowsDirty: 0 });
    expect(target.rows.map((row) => row[0]).toSorted()).toEqual(
      slices
        .flat()
        .map((row) => row[0])
        .toSorted(),
    );
    expect(log).toContain('Rows read: 450, written: 450, dirty: 0');
  });

  test('decides all slices before it reads the first row', async () => {
    const events: string[] = [];
    const reader = memoryReader({ slices: [[['1', 'a']], [['2', 'b']]] }, events);
    await runMemory(reader, new MemoryTarget(), { channel: { concurrency: 2 } }).result;
    expect(events.slice(0, 2)).toEqual(['slice 0', 'slice 1']);
  });

  test('asks for slices by the rate that holds when it begins', async () => {
    const hints: SliceHint[] = [];
    const night = { from: '22:00', to: '06:00', bytesPerSecond: 8_000_000 };
    const rateLimit = { bytesPerSecond: 1_000_000, windows: [night] };
    for (const time of ['12:00', '23:00']) {
      const reader = memoryReader({ slices: [[['1', 'a']]], hints });
      await runMemory(reader, new MemoryTarget(), {
        channel: { concurrency: 2, rateLimit },
        localTime: () => time,
      }).result;
    }
    expect(hints.map(({ bytes }) => bytes)).toEqual([350_000, 2_800_000]);
  });

  test('matches columns by name whatever their order and case', async () => {
    const target = new MemoryTarget([column('NAME'), column('id'), column('note')]);
    const { result, log } = runMemory(memoryReader({ slices: [[['1', 'a']]] }), target);
    await result;
    expect(target.mapped).toEqual(['id>id', 'name>NAME']);
    expect(target.rows).toEqual([['1', 'a']]);
    expect(log).toContain('Columns left to their defaults: note');
  });

  test('puts cells into the order of a written mapping', async () => {
    const target = new MemoryTarget([column('a'), column('b')]);
    const mapping = {
      columns: [
        { from: 'name', to: 'a' },
        { from: 'ID', to: 'b' },
      ],
    };
    await runMemory(memoryReader({ slices: [[['1', 'x']]] }), target, { mapping }).result;
    expect(target.rows).toEqual([['x', '1']]);
  });

  test.each([
    ['a source column without a target', [column('id')], undefined, /not in the target: name/],
    [
      'a required target column without a value',
      [column('id'), column('name'), column('ds', { nullable: false })],
      undefined,
      /NOT NULL columns without a default: ds/,
    ],
    [
      'a mapping that names unknown columns',
      [column('id')],
      { columns: [{ from: 'nmae', to: 'idd' }] },
      /no column nmae.*no column idd/s,
    ],
  ])('refuses %s before the first row', async (_, columns, mapping, detail) => {
    const events: string[] = [];
    const target = new MemoryTarget(columns);
    const reader = memoryReader({ slices: [[['1', 'a']]] }, events);
    const { result } = runMemory(reader, target, { mapping });
    await expect(result).rejects.toMatchObject({
      code: 'MR-D208',
      detail: expect.stringMatching(detail),
    });
    expect(events).not.toContain('read 0');
    expect(target.events).toEqual(['abort']);
  });

  test('fails on the first dirty row by default and leaves the target as it was', async () => {
    const target = new MemoryTarget();
    const { result, dirty } = runMemory(
      memoryReader({
        slices: [
          [
            ['1', 'a'],
            ['2', 'bad'],
            ['3', 'c'],
          ],
        ],
      }),
      target,
    );
    await expect(result).rejects.toMatchObject({ code: 'MR-D201' });
    expect(dirty).toEqual([expect.objectContaining({ cells: ['2', 'bad'], code: '22001' })]);
    expect(target.rows).toEqual(OLD);
    expect(target.events).toEqual(['rollback', 'abort']);
  });

  test('publishes the good rows while dirty ones stay within the limit', async () => {
    const target = new MemoryTarget();
    const rows: Row[] = [
      ['1', 'a'],
      ['2', 'bad'],
      ['3', 'bad'],
      ['4', 'd'],
    ];
    const { result, dirty, log } = runMemory(memoryReader({ slices: [rows] }), target, {
      channel: { dirtyLimit: { records: 2 } },
    });
    expect(await result).toMatchObject({ rowsRead: 4, rowsWritten: 2, rowsDirty: 2 });
    expect(dirty).toHaveLength(2);
    expect(log).toContain('Dirty: 22001 in column name: 2');
    expect(log.join('\n')).not.toContain('bad');
  });

  test('a ratio of dirty rows is judged at the end when there are few rows', async () => {
    const rows: Row[] = [
      ['1', 'bad'],
      ['2', 'b'],
      ['3', 'c'],
      ['4', 'd'],
    ];
    const run = (ratio: number) => {
      const options = { channel: { dirtyLimit: { ratio } } };
      return runMemory(memoryReader({ slices: [rows] }), new MemoryTarget(), options).result;
    };
    expect(await run(0.25)).toMatchObject({ rowsWritten: 3 });
    await expect(run(0.2)).rejects.toMatchObject({ code: 'MR-D201' });
  });

  test('commits nothing of a slice whose rows do not add up', async () => {
    const target = new MemoryTarget();
    const reader = memoryReader({ slices: [[['1', 'a']]], overReport: 1 });
    await expect(runMemory(reader, target).result).rejects.toMatchObject({ code: 'MR-D220' });
    expect(target.rows).toEqual(OLD);
    expect(target.events).toEqual(['rollback', 'abort']);
  });

  test('a source that fails in one channel ends the others and the target keeps what it had', async () => {
    const target = new MemoryTarget();
    const events: string[] = [];
    const slices = Array.from({ length: 20 }, () => [['1', 'a']]);
    const reader = memoryReader({ slices, failAtSlice: 3 }, events);
    const { result } = runMemory(reader, target, { channel: { concurrency: 2 } });
    await expect(result).rejects.toThrow('source is gone');
    expect(target.rows).toEqual(OLD);
    expect(target.events).not.toContain('finalize');
    expect(events).not.toContain('read 19');
    expect(events).toContain('source failed');
  });

  test('a run that was published before reads no row', async () => {
    const target = new MemoryTarget();
    target.isPublished = true;
    const events: string[] = [];
    const { result } = runMemory(memoryReader({ slices: [[['1', 'a']]] }, events), target);
    expect(await result).toMatchObject({ wasPublished: true, rowsRead: 0, rowsWritten: 7 });
    expect(events).not.toContain('read 0');
  });

  test('a replay into a partition whose column nothing fills is refused before it writes', async () => {
    const reader = memoryReader({ slices: [] });
    const replay = [{ cells: ['1', 'a'] }];
    const refused = new MemoryTarget();
    const run = runMemory(reader, refused, { replay, partition: { ds: '1' } }).result;
    await expect(run).rejects.toMatchObject({ code: 'MR-D221' });
    expect(refused.rows).toEqual(OLD);
    const target = new MemoryTarget();
    await runMemory(reader, target, { replay, partition: { NAME: 'a' } }).result;
    expect(target.rows).toEqual([['1', 'a']]);
  });

  test('a stop between two rows ends with its reason and publishes nothing', async () => {
    const target = new MemoryTarget();
    const stop = new AbortController();
    const { result } = runMemory(memoryReader({ slices: [[['1', 'a']], [['2', 'b']]] }), target, {
      signal: stop.signal,
      crashPoint: async (name) => {
        if (name === 'sync:slice-written') stop.abort(new Error('stopped by a user'));
      },
    });
    await expect(result).rejects.toThrow('stopped by a user');
    expect(target.rows).toEqual(OLD);
  });

  test('a writer with an empty source replaces what was there', async () => {
    const target = new MemoryTarget();
    expect(await runMemory(memoryReader({ slices: [] }), target).result).toMatchObject({
      rowsRead: 0,
    });
    expect(target.rows).toEqual([]);
  });
});
