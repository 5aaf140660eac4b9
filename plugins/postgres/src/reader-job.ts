import type {
  CursorRequest,
  Finding,
  JobContext,
  KeyBounds,
  ReaderJob,
  ReaderTask,
  Slice,
  SliceHint,
  SnapshotToken,
  TableSchema,
} from '@millrace/sdk';
import {
  keySlices,
  parseKeyBounds,
  shardLabel,
  shardSchema,
  slicePredicate,
  wholeSlice,
} from '@millrace/sdk';
import type { PostgresSource } from './config.js';
import { literal, windowOf } from './cursor-window.js';
import { toPluginError } from './pg-error.js';
import { quoteName } from './quoting.js';
import { PostgresReaderTask } from './reader-task.js';
import type { PostgresReaderConfig } from './reader-config.js';
import type { ReaderSource } from './reader-source.js';
import { lockStatementOf, resolveSources, selectOf } from './reader-source.js';
import type { Session } from './session.js';
import { cancelOnAbort, openSession, query, tagOf } from './session.js';
import type { SplitKey } from './split-key.js';
import { boundariesOf, splitKeyOf } from './split-key.js';
import { resolveColumn } from './table-catalog.js';

export class PostgresReaderJob implements ReaderJob {
  readonly #config: PostgresReaderConfig;
  readonly #ctx: JobContext<PostgresSource>;
  #session: Promise<Session> | undefined;
  #cancelling: Disposable | undefined;
  #sources: Promise<readonly [ReaderSource, ...ReaderSource[]]> | undefined;
  /** Of the source at the same index, once it has been cut. */
  readonly #keys: (SplitKey | undefined)[] = [];
  #snapshot: string | undefined;
  /** The only task reads on the connection that has made the snapshot. */
  #isAlone = false;

  constructor(config: PostgresReaderConfig, ctx: JobContext<PostgresSource>) {
    this.#config = config;
    this.#ctx = ctx;
  }

  async describe(): Promise<TableSchema> {
    const [first, ...others] = await this.#resolved();
    return shardSchema([first.schema, ...others.map((source) => source.schema)]);
  }

  async check(): Promise<readonly Finding[]> {
    const { client } = await this.#open();
    const wanted = this.#wantedKey();
    for (const source of await this.#resolved()) {
      const sql = `EXPLAIN ${selectOf(source, source.schema.columns, '1 = 1')}`;
      try {
        // Planning it proves names, privileges and the filter, and reads nothing.
        await query(client, sql);
      } catch (error) {
        const { code, detail } = toPluginError(error);
        return [{ level: 'error', code, message: detail }];
      }
      if (wanted.length === 0) continue;
      const key = await splitKeyOf(client, source, wanted, false);
      try {
        await query(client, `${sql} ORDER BY ${key?.columns.map((c) => c.sql).join(', ') ?? '1'}`);
      } catch (error) {
        const message = `the split key ${wanted.join(', ')} has no order: ${toPluginError(error).detail}`;
        return [{ level: 'error', code: 'MR-D262', message, column: wanted[0] ?? '' }];
      }
    }
    return [];
  }

  async pinSnapshot(readers: number): Promise<SnapshotToken> {
    const { client } = await this.#open();
    const lock = await lockStatementOf(client, await this.#resolved());
    await query(client, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    try {
      if (lock !== undefined) await query(client, lock);
      const [row] = await query(
        client,
        `SELECT pg_export_snapshot(), (SELECT min(backend_xmin::text::bigint)::text FROM pg_stat_activity)`,
      );
      this.#snapshot = row?.[0] ?? undefined;
      this.#isAlone = readers === 1;
      const label = `${this.#snapshot ?? ''}, exported for all channels; oldest xmin of the server ${row?.[1] ?? 'not visible'}`;
      return { consistent: true, token: this.#snapshot, label };
    } catch (error) {
      // A standby exports none: each task then has a snapshot of its own.
      await query(client, 'ROLLBACK');
      const label = toPluginError(error).detail;
      if (readers > 1 && this.#config.snapshot !== 'required') {
        return { consistent: false, token: null, label };
      }
      return { consistent: true, token: null, label: `of one channel: ${label}`, readers: 1 };
    }
  }

  async window({ column, after, overlap }: CursorRequest): Promise<string | undefined> {
    const sources = await this.#resolved();
    const key = resolveColumn(column, sources[0].full);
    const name = quoteName(key.name);
    const { from, upTo } = windowOf(key, after, overlap);
    const narrowed = (conditions: readonly string[]) => (source: ReaderSource) => ({
      ...source,
      filter: [source.filter, ...conditions].join(' AND '),
    });
    const parts = sources
      .map(narrowed(from))
      .map((source) => `SELECT ${name} FROM ${source.from} WHERE ${source.filter}`);
    const { client } = await this.#open();
    const [row] = await query(
      client,
      `SELECT ${upTo} FROM (${parts.join(' UNION ALL ')}) AS cursors`,
    );
    const to = row?.[0] ?? undefined;
    const end = to === undefined ? 'false' : `${name} <= ${literal(to)}::${key.nativeType}`;
    const [first, ...others] = sources;
    const narrow = narrowed([...from, end]);
    this.#sources = Promise.resolve([narrow(first), ...others.map(narrow)]);
    return to;
  }

  async *slices(hint: SliceHint): AsyncIterable<Slice> {
    const sources = await this.#resolved();
    const share = { ...hint, count: Math.ceil(hint.count / sources.length) };
    const schemas = sources.map(({ full }) => full);
    let no = 0;
    for (const [table, source] of sources.entries()) {
      for (const slice of await this.#slicesOf(table, source, share)) {
        if (sources.length === 1) yield slice;
        else {
          const bounds = { ...parseKeyBounds(slice.bounds), table } satisfies KeyBounds;
          yield {
            ...slice,
            no: no++,
            bounds,
            label: `${shardLabel(source.full, schemas)}: ${slice.label}`,
          };
        }
      }
    }
  }

  async open(_no: number): Promise<ReaderTask> {
    const { signal, dataSource, identity } = this.#ctx;
    const sources = await this.#resolved();
    const isShared = this.#isAlone;
    this.#isAlone = false;
    const session = isShared
      ? await this.#open()
      : await openSession(dataSource.config, 'data', tagOf(identity));
    const task = new PostgresReaderTask(
      dataSource.config,
      isShared ? { ...session, close: () => Promise.resolve() } : session,
      sources[0].schema,
      (slice, columns) => {
        const { table = 0 } = parseKeyBounds(slice.bounds);
        const source = sources[table] ?? sources[0];
        return selectOf(source, columns, slicePredicate(slice.bounds, this.#keys[table]));
      },
      signal,
    );
    if (isShared) return task;
    try {
      await query(session.client, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      if (this.#snapshot !== undefined) {
        await query(session.client, `SET TRANSACTION SNAPSHOT '${this.#snapshot}'`);
      }
      return task;
    } catch (error) {
      await task.close();
      throw error;
    }
  }

  async close(_outcome: 'succeeded' | 'failed'): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    this.#cancelling?.[Symbol.dispose]();
    if (session !== undefined)
      await session.then(
        (s) => s.close(),
        () => undefined,
      );
  }

  async #slicesOf(table: number, source: ReaderSource, hint: SliceHint): Promise<readonly Slice[]> {
    const { client } = await this.#open();
    const isPinned = this.#snapshot !== undefined;
    const key =
      hint.count <= 1 && this.#wantedKey().length === 0
        ? undefined
        : await splitKeyOf(client, source, this.#wantedKey(), isPinned);
    this.#keys[table] = key;
    if (key === undefined || hint.count <= 1) return [wholeSlice()];
    return keySlices(key, await boundariesOf(client, source, key, hint));
  }

  #wantedKey(): readonly string[] {
    return [this.#config.sliceKey ?? []].flat();
  }

  #resolved(): Promise<readonly [ReaderSource, ...ReaderSource[]]> {
    this.#sources ??= this.#open().then(({ client }) =>
      resolveSources(client, this.#config, this.#ctx.dataSource.config.schema),
    );
    return this.#sources;
  }

  #open(): Promise<Session> {
    const { signal, dataSource, identity } = this.#ctx;
    this.#session ??= openSession(dataSource.config, 'data', tagOf(identity)).then((session) => {
      this.#cancelling = cancelOnAbort(dataSource.config, session, signal);
      return session;
    });
    return this.#session;
  }
}
