import type { Client } from 'pg';
import { DataSource, type QueryRunner } from 'typeorm';

import { MillraceError } from '../domain/errors.js';
import { CopyIn, type CopyRows } from './copy-rows.js';
import { ENTITIES } from './entities/index.js';
import { valueParsers } from './value-parsers.js';

/** Anything SQL can be sent to: the database itself, or one open transaction of it. */
export interface Sql {
  /** Sends one statement and returns its rows. Column names arrive as the statement spells them. */
  rows<T>(text: string, values?: readonly unknown[]): Promise<T[]>;
  /** Sends one statement and returns how many rows it changed. */
  run(text: string, values?: readonly unknown[]): Promise<number>;
  /** Sends rows to a table, `into` with its columns in brackets. Returns how many the server took. */
  copy(into: string, rows: CopyRows): Promise<number>;
}

export interface DatabaseOptions {
  readonly url: string;
  readonly applicationName: string;
  readonly poolSize: number;
}

const DEADLOCK = '40P01';
const SERIALIZATION_FAILURE = '40001';
const MAX_TRIES = 8;

/**
 * The metadata database. Entities and migrations go through {@link orm}; the line's statements are
 * hand-written SQL in `store/sql` and go through {@link rows}, {@link run} and {@link transaction}.
 */
export class Database implements Sql, AsyncDisposable {
  readonly orm: DataSource;

  private constructor(orm: DataSource) {
    this.orm = orm;
  }

  static async open(options: DatabaseOptions): Promise<Database> {
    const orm = new DataSource({
      type: 'postgres',
      url: options.url,
      applicationName: options.applicationName,
      poolSize: options.poolSize,
      entities: ENTITIES,
      migrations: [],
      extra: { types: valueParsers, connectionTimeoutMillis: 10_000, keepAlive: true },
      poolErrorHandler: () => undefined,
    });
    try {
      await orm.initialize();
    } catch (error) {
      throw new MillraceError('MR-A207', error instanceof Error ? error.message : String(error), {
        cause: error,
      });
    }
    return new Database(orm);
  }

  async rows<T>(text: string, values: readonly unknown[] = []): Promise<T[]> {
    await using runner = this.orm.createQueryRunner();
    return await sqlOf(runner).rows<T>(text, values);
  }

  async run(text: string, values: readonly unknown[] = []): Promise<number> {
    await using runner = this.orm.createQueryRunner();
    return await sqlOf(runner).run(text, values);
  }

  async copy(into: string, rows: CopyRows): Promise<number> {
    await using runner = this.orm.createQueryRunner();
    return await sqlOf(runner).copy(into, rows);
  }

  /**
   * Runs `work` in one READ COMMITTED transaction. A deadlock or a serialisation failure repeats the
   * whole of it, so `work` must not have effects outside the database (engine rule 5).
   */
  async transaction<T>(work: (tx: Sql) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      await using runner = this.orm.createQueryRunner();
      await runner.startTransaction();
      try {
        const result = await work(sqlOf(runner));
        await runner.commitTransaction();
        return result;
      } catch (error) {
        // The connection may be gone: the first error is the one that tells why.
        await runner.rollbackTransaction().catch(() => undefined);
        const code = sqlStateOf(error);
        if ((code === DEADLOCK || code === SERIALIZATION_FAILURE) && attempt < MAX_TRIES) continue;
        throw error;
      }
    }
  }

  /**
   * Runs `work` on one moment of the store, which it can only read: it locks no row, so nobody waits for it,
   * however long it takes.
   */
  async snapshot<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    await using runner = this.orm.createQueryRunner();
    await runner.startTransaction('REPEATABLE READ');
    try {
      await runner.query('SET TRANSACTION READ ONLY');
      return await work(sqlOf(runner));
    } finally {
      await runner.rollbackTransaction().catch(() => undefined);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.orm.destroy();
  }
}

function sqlOf(runner: QueryRunner): Sql {
  return {
    async rows<T>(text: string, values: readonly unknown[] = []): Promise<T[]> {
      const result = await runner.query(text, [...values], true);
      return result.records as T[];
    },
    async run(text: string, values: readonly unknown[] = []): Promise<number> {
      const result = await runner.query(text, [...values], true);
      return result.affected ?? 0;
    },
    async copy(into: string, rows: CopyRows): Promise<number> {
      const client = (await runner.connect()) as Client;
      return await client.query(new CopyIn(into, rows)).done;
    },
  };
}

/** The SQLSTATE of a database error, also where TypeORM has wrapped it. */
export function sqlStateOf(error: unknown): string | undefined {
  for (let at = error; typeof at === 'object' && at !== null;) {
    if ('code' in at && typeof at.code === 'string' && /^[0-9A-Z]{5}$/.test(at.code))
      return at.code;
    at = 'driverError' in at ? at.driverError : 'cause' in at ? at.cause : undefined;
  }
  return undefined;
}
