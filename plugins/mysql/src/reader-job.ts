import {
  keySlices,
  parseKeyBounds,
  shardLabel,
  shardSchema,
  slicePredicate,
  wholeSlice,
} from '@millrace/sdk';
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

import type { MysqlConfig } from './config.js';
import { windowOf } from './cursor-window.js';
import { quoteName } from './literal.js';
import { pinSessions } from './pinned-sessions.js';
import { MysqlReaderTask } from './reader-task.js';
import { columnNamed, resolveSources } from './reader-source.js';
import type { ReaderSource, ReaderSourceConfig } from './reader-source.js';
import { KeptSession } from './kept-session.js';
import { openReading } from './reading-session.js';
import type { Session } from './session.js';
import { boundariesOf } from './split-boundaries.js';
import { splitKeyOf } from './split-key.js';
import type { SplitKey } from './split-key.js';

export interface ReaderConfig extends ReaderSourceConfig {
  readonly sliceKey?: string | readonly string[] | undefined;
  readonly snapshot?: 'preferred' | 'required' | undefined;
}

export class MysqlReaderJob implements ReaderJob {
  #config: ReaderConfig;
  readonly #ctx: JobContext<MysqlConfig>;
  #sources: Promise<readonly [ReaderSource, ...ReaderSource[]]> | undefined;
  /** Of the source at the same index, once it has been cut. */
  readonly #keys: (SplitKey | undefined)[] = [];
  /** For all that is asked before rows are read. */
  readonly #looking: KeptSession;
  /** In the snapshot of the job, not yet with a task. */
  #pinned: Session[] = [];

  constructor(config: ReaderConfig, ctx: JobContext<MysqlConfig>) {
    this.#config = config;
    this.#ctx = ctx;
    this.#looking = new KeptSession(ctx, openReading);
  }

  async describe(): Promise<TableSchema> {
    const [first, ...others] = await this.#resolved();
    return shardSchema([first.schema, ...others.map((source) => source.schema)]);
  }

  async check(): Promise<readonly Finding[]> {
    const findings: Finding[] = [];
    const session = await this.#looking.get();
    for (const source of await this.#resolved()) {
      // The server itself judges columns, filter and privileges; no row is read.
      await session.run(`${source.select} LIMIT 0`);
      const key = await splitKeyOf(session, source, this.#wantedKey());
      if (key.refusal !== undefined) {
        const column = this.#wantedKey()[0] ?? '';
        findings.push({ level: 'error', code: 'MR-D262', column, message: key.refusal });
      } else if (key.remark !== undefined) {
        findings.push({ level: 'info', message: key.remark });
      }
    }
    return findings;
  }

  async pinSnapshot(readers: number): Promise<SnapshotToken> {
    const { sessions, token } = await pinSessions(this.#ctx, await this.#resolved(), {
      readers,
      isRequired: this.#config.snapshot === 'required',
      isWhole: this.#config.query !== undefined && this.#config.sliceKey === undefined,
      takeOpen: () => this.#looking.take(),
    });
    this.#pinned = [...sessions];
    return token;
  }

  async window({ column, after, overlap }: CursorRequest): Promise<string | undefined> {
    const sources = await this.#resolved();
    const [{ schema, allColumns }] = sources;
    const key = columnNamed({ ...schema, columns: allColumns }, column);
    const { from, upTo, literal } = windowOf(key, after, overlap);
    const name = quoteName(key.name);
    const conditions = from.map((condition) => ` AND ${condition}`).join('');
    const parts = sources.map((source) => `SELECT ${name} ${source.from}${conditions}`);
    const [row] = await this.#rows(
      `SELECT ${upTo} FROM (${parts.join(' UNION ALL ')}) AS millrace_cursors`,
    );
    const to = row?.[0] ?? undefined;
    const end = to === undefined ? '1 = 0' : `${name} <= ${literal(to)}`;
    const where = this.#config.where?.trim() ?? '';
    const own = where === '' ? [] : [`(${where}\n)`];
    this.#config = { ...this.#config, where: [...own, ...from, end].join(' AND ') };
    this.#sources = undefined;
    return to;
  }

  async *slices(hint: SliceHint): AsyncIterable<Slice> {
    const sources = await this.#resolved();
    if (hint.count <= 1 && sources.length === 1) {
      yield wholeSlice();
      return;
    }
    const share = { ...hint, count: Math.ceil(hint.count / sources.length) };
    const session = await this.#looking.get();
    const schemas = sources.map(({ schema }) => schema);
    let no = 0;
    for (const [table, source] of sources.entries()) {
      for (const slice of await this.#slicesOf(session, table, source, share)) {
        if (sources.length === 1) yield slice;
        else {
          const bounds = { ...parseKeyBounds(slice.bounds), table } satisfies KeyBounds;
          yield {
            ...slice,
            no: no++,
            bounds,
            label: `${shardLabel(source.schema, schemas)}: ${slice.label}`,
          };
        }
      }
    }
  }

  async open(): Promise<ReaderTask> {
    const sources = await this.#resolved();
    await this.#looking.close();
    const sourceOf = (slice: Slice) => {
      const { table = 0 } = parseKeyBounds(slice.bounds);
      const where = slicePredicate(slice.bounds, this.#keys[table]);
      return { source: sources[table] ?? sources[0], where };
    };
    return new MysqlReaderTask(this.#ctx, sourceOf, this.#pinned.shift());
  }

  async close(): Promise<void> {
    this.#sources = undefined;
    await this.#looking.close();
    await Promise.all(this.#pinned.splice(0).map((session) => session.close()));
  }

  async #slicesOf(
    session: Session,
    table: number,
    source: ReaderSource,
    hint: SliceHint,
  ): Promise<readonly Slice[]> {
    if (hint.count <= 1) return [wholeSlice()];
    const { key } = await splitKeyOf(session, source, this.#wantedKey());
    this.#keys[table] = key;
    return key === undefined
      ? [wholeSlice()]
      : keySlices(key, await boundariesOf(session, source, key, hint));
  }

  /** In the snapshot of the job if it has one: a cursor that it does not hold yet would pass rows by. */
  async #rows(sql: string): ReturnType<Session['rows']> {
    const [pinned] = this.#pinned;
    if (pinned !== undefined) return await pinned.rows(sql);
    return await (await this.#looking.get()).rows(sql);
  }

  #wantedKey(): readonly string[] {
    return [this.#config.sliceKey ?? []].flat();
  }

  #resolved(): Promise<readonly [ReaderSource, ...ReaderSource[]]> {
    this.#sources ??= this.#resolve();
    return this.#sources;
  }

  async #resolve(): Promise<readonly [ReaderSource, ...ReaderSource[]]> {
    const session = await this.#looking.get();
    const { database } = this.#ctx.dataSource.config;
    return await resolveSources(session, database, this.#config, (text) =>
      this.#ctx.log.info(text),
    );
  }
}
