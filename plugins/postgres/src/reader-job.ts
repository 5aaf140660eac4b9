import type {
  Column,
  CursorRequest,
  Finding,
  JobContext,
  ReaderJob,
  ReaderTask,
  Slice,
  SliceHint,
  SnapshotToken,
  TableSchema,
} from '@millrace/sdk';
import {
  PluginError,
  integerSlices,
  slicePredicate,
  splitStatements,
  wholeSlice,
} from '@millrace/sdk';
import type { PostgresSource } from './config.js';
import { literal, windowOf } from './cursor-window.js';
import { toPluginError } from './pg-error.js';
import { qualifiedName, quoteName } from './quoting.js';
import { PostgresReaderTask } from './reader-task.js';
import type { PostgresReaderConfig } from './reader-config.js';
import type { Session } from './session.js';
import { cancelOnAbort, openSession, query, tagOf } from './session.js';
import { describeQuery, describeTable, resolveColumn } from './table-catalog.js';

export class PostgresReaderJob implements ReaderJob {
  #config: PostgresReaderConfig;
  readonly #ctx: JobContext<PostgresSource>;
  readonly #query: string | undefined;
  #session: Promise<Session> | undefined;
  #cancelling: Disposable | undefined;
  #schema: TableSchema | undefined;
  #full: TableSchema | undefined;
  #key: Column | undefined;
  #snapshot: string | undefined;

  constructor(config: PostgresReaderConfig, ctx: JobContext<PostgresSource>) {
    this.#config = config;
    this.#ctx = ctx;
    this.#query = config.query === undefined ? undefined : oneStatement(config.query);
  }

  async describe(): Promise<TableSchema> {
    this.#schema ??= await this.#describe();
    return this.#schema;
  }

  async check(): Promise<readonly Finding[]> {
    const schema = await this.describe();
    const { client } = await this.#open();
    try {
      // Planning it proves names, privileges and the filter, and reads nothing.
      await query(client, `EXPLAIN ${this.#select(schema, '1 = 1')}`);
    } catch (error) {
      const { code, detail } = toPluginError(error);
      return [{ level: 'error', code, message: detail }];
    }
    const type = this.#key?.type;
    if (type !== undefined && !isIntegral(type)) {
      return [
        {
          level: 'error',
          code: 'MR-D208',
          message: `the split key "${this.#config.sliceKey ?? ''}" must be an integer`,
          ...(this.#config.sliceKey === undefined ? {} : { column: this.#config.sliceKey }),
        },
      ];
    }
    return [];
  }

  async pinSnapshot(): Promise<SnapshotToken> {
    const { client } = await this.#open();
    await query(client, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    try {
      const [row] = await query(client, 'SELECT pg_export_snapshot()');
      this.#snapshot = row?.[0] ?? undefined;
    } catch (error) {
      // A standby exports none: each task then has a snapshot of its own.
      await query(client, 'ROLLBACK');
      return { consistent: false, token: null, label: toPluginError(error).detail };
    }
    return { consistent: true, token: this.#snapshot, label: `snapshot ${this.#snapshot ?? ''}` };
  }

  async window({ column, after, overlap }: CursorRequest): Promise<string | undefined> {
    const schema = await this.describe();
    const key = resolveColumn(column, this.#full ?? schema);
    const { from, upTo } = windowOf(key, after, overlap);
    const { where = '' } = this.#config;
    const filter = [...(where.trim() === '' ? [] : [`(${where}\n)`]), ...from].join(' AND ');
    const { client } = await this.#open();
    const [row] = await query(
      client,
      `SELECT ${upTo} FROM ${this.#from(schema)}${filter === '' ? '' : ` WHERE ${filter}`}`,
    );
    const to = row?.[0] ?? undefined;
    const name = quoteName(key.name);
    const end = to === undefined ? 'false' : `${name} <= ${literal(to)}::${key.nativeType}`;
    this.#config = {
      ...this.#config,
      where: [...(filter === '' ? [] : [filter]), end].join(' AND '),
    };
    return to;
  }

  async *slices(hint: SliceHint): AsyncIterable<Slice> {
    const schema = await this.describe();
    const key = this.#key;
    if (key === undefined) {
      yield wholeSlice();
      return;
    }
    const { client } = await this.#open();
    const name = quoteName(key.name);
    const [row] = await query(
      client,
      `SELECT min(${name})::text, max(${name})::text FROM (${this.#select(schema, '1 = 1', [key])}) AS s`,
    );
    yield* integerSlices(key.name, row?.[0] ?? null, row?.[1] ?? null, hint.count, key.nullable);
  }

  async open(_no: number): Promise<ReaderTask> {
    const { signal, dataSource, identity } = this.#ctx;
    const schema = await this.describe();
    const session = await openSession(dataSource.config, 'data', tagOf(identity));
    const key = this.#key === undefined ? undefined : quoteName(this.#key.name);
    const sqlOf = (slice: Slice, columns: readonly Column[]) =>
      this.#select(schema, slicePredicate(slice.bounds, key), columns);
    const task = new PostgresReaderTask(dataSource.config, session, schema.columns, sqlOf, signal);
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

  #open(): Promise<Session> {
    const { signal, dataSource, identity } = this.#ctx;
    this.#session ??= openSession(dataSource.config, 'data', tagOf(identity)).then((session) => {
      this.#cancelling = cancelOnAbort(dataSource.config, session, signal);
      return session;
    });
    return this.#session;
  }

  async #describe(): Promise<TableSchema> {
    const { table, columns, sliceKey } = this.#config;
    const { client } = await this.#open();
    let full: TableSchema;
    if (table === undefined) {
      const found = await describeQuery(client, this.#query ?? '').catch((error: unknown) => {
        throw toPluginError(error);
      });
      full = { table: 'query', columns: found, primaryKey: [] };
    } else {
      const schema = this.#config.schema ?? this.#ctx.dataSource.config.schema;
      full = await describeTable(client, schema, table);
    }
    this.#full = full;
    if (sliceKey !== undefined) this.#key = resolveColumn(sliceKey, full);
    const chosen = columns?.map((name) => resolveColumn(name, full)) ?? full.columns;
    return { ...full, columns: [...chosen, ...(await this.#expressions(full))] };
  }

  /** What the server makes of the expressions: their types are its own. */
  async #expressions(full: TableSchema): Promise<readonly Column[]> {
    const { expressions = [] } = this.#config;
    if (expressions.length === 0) return [];
    const taken = expressions.find(({ name }) =>
      full.columns.some((column) => column.name === name),
    );
    if (taken !== undefined) {
      throw new PluginError('MR-D208', `the expression ${taken.name} is called like a column`);
    }
    const { client } = await this.#open();
    const list = expressions.map(({ name, sql }) => `(${sql}\n) AS ${quoteName(name)}`).join(', ');
    return await describeQuery(client, `SELECT ${list} FROM ${this.#from(full)}`).catch(
      (error: unknown) => {
        throw toPluginError(error);
      },
    );
  }

  #from(schema: TableSchema): string {
    return this.#query === undefined
      ? qualifiedName(schema.schema ?? '', schema.table)
      : `(${this.#query}\n) AS q`;
  }

  #select(schema: TableSchema, slice: string, columns = schema.columns): string {
    const { where, expressions = [] } = this.#config;
    const from = this.#from(schema);
    const list = columns.map((c) => {
      const name = quoteName(c.name);
      const own = expressions.find((each) => each.name === c.name);
      if (own !== undefined) {
        return `(${own.sql}\n)${c.nativeType === 'money' ? '::numeric' : ''} AS ${name}`;
      }
      // The text of money follows the server's locale.
      return c.nativeType === 'money' ? `${name}::numeric AS ${name}` : name;
    });
    // A filter may end in a comment: the line break keeps our parenthesis out of it.
    const filter = where === undefined || where.trim() === '' ? '' : ` AND (${where}\n)`;
    return `SELECT ${list.join(', ')} FROM ${from} WHERE ${slice}${filter}`;
  }
}

function isIntegral(type: Column['type']): boolean {
  return type.kind === 'integer' || (type.kind === 'decimal' && type.scale === 0);
}

/** Without its semicolon: the query becomes part of others. */
function oneStatement(script: string): string {
  const [statement, second] = splitStatements(script, 'postgres');
  if (statement === undefined || second !== undefined) {
    throw new PluginError('MR-D204', 'the query of a reader must be one statement');
  }
  return statement.text;
}
