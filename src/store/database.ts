import type { Pool, PoolClient } from 'pg';
import { DataSource } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';

import { MillraceError } from '../domain/errors.js';
import type { CopyRows } from './copy-rows.js';
import { ENTITIES } from './entities/index.js';
import { FewRows } from './few-rows.js';
import { listening, repeating, Session, type Sql, within } from './session.js';
import { valueParsers } from './value-parsers.js';

export { FEW } from './few-rows.js';
export { type Sql, sqlStateOf } from './session.js';

export interface DatabaseOptions {
  readonly url: string;
  readonly applicationName: string;
  /** Of all connections, those for few rows included. */
  readonly poolSize: number;
}

/** So many of its connections are for statements of few rows; they are short. */
const SHARE_OF_FEW = 0.4;

/**
 * The metadata database. Entities and migrations go through {@link orm}; the line's statements are
 * hand-written SQL in `store/sql` and go through {@link rows}, {@link run} and {@link transaction}, and
 * those of which a busy second sends hundreds through {@link few}.
 */
export class Database implements Sql, AsyncDisposable {
  readonly keepsPlans = false;
  readonly orm: DataSource;
  readonly few: FewRows;

  private constructor(orm: DataSource, few: FewRows) {
    this.orm = orm;
    this.few = few;
  }

  static async open({ url, applicationName, poolSize }: DatabaseOptions): Promise<Database> {
    const ofFew = Math.max(1, Math.floor(poolSize * SHARE_OF_FEW));
    const orm = new DataSource({
      type: 'postgres',
      url,
      applicationName,
      // One that does something while it holds another would wait for itself.
      poolSize: Math.max(Math.min(2, poolSize), poolSize - ofFew),
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
    const master = (orm.driver as PostgresDriver).master as Pool;
    // A server that stops may end a connection in the packet that greets it: the pool has taken its own listener
    // off then, and whoever asked for the connection does not have it yet. It ended the process.
    master.on('connect', (client) => client.on('error', () => undefined));
    return new Database(orm, new FewRows({ url, applicationName, poolSize: ofFew }));
  }

  /** A statement on its own is a transaction, and is repeated as one. */
  async rows<T>(text: string, values: readonly unknown[] = []): Promise<T[]> {
    return await repeating(() =>
      this.#connected((client) => new Session(client).rows<T>(text, values)),
    );
  }

  async run(text: string, values: readonly unknown[] = []): Promise<number> {
    return await repeating(() =>
      this.#connected((client) => new Session(client).run(text, values)),
    );
  }

  async send(text: string, values: readonly unknown[] = []): Promise<void> {
    await this.run(text, values);
  }

  async copy(into: string, rows: CopyRows): Promise<number> {
    return await this.#connected((client) => new Session(client).copy(into, rows));
  }

  async expectMany(): Promise<void> {
    // Statements outside of a transaction are planned for their values anyway.
  }

  /**
   * Runs `work` in one READ COMMITTED transaction. A deadlock or a serialisation failure repeats the
   * whole of it, so `work` must not have effects outside the database (engine rule 5).
   */
  async transaction<T>(work: (tx: Sql) => Promise<T>): Promise<T> {
    return await repeating(() =>
      this.#connected((client) =>
        within(client, ['BEGIN', 'COMMIT'], () => work(new Session(client))),
      ),
    );
  }

  /**
   * Runs `work` on one connection that holds the advisory lock `key` meanwhile; `undefined` while another
   * session has it. Its statements are in no transaction, as some must be; a killed process holds nothing.
   */
  async alone<T>(key: number, work: (sql: Sql) => Promise<T>): Promise<T | undefined> {
    return await this.#connected(async (client) => {
      const sql = new Session(client);
      const [lock] = await sql.rows<{ had: boolean }>('SELECT pg_try_advisory_lock($1) AS had', [
        key,
      ]);
      if (lock?.had !== true) return undefined;
      try {
        return await work(sql);
      } finally {
        await sql.rows('SELECT pg_advisory_unlock($1)', [key]);
      }
    });
  }

  /** As {@link Database.transaction}, and takes all of it back: what is left is what `work` gave. */
  async rehearse<T>(work: (tx: Sql) => Promise<T>): Promise<T> {
    return await repeating(() =>
      this.#connected((client) =>
        within(client, ['BEGIN', 'ROLLBACK'], () => work(new Session(client))),
      ),
    );
  }

  /**
   * Runs `work` on one moment of the store, which it can only read: it locks no row, so nobody waits for it,
   * however long it takes.
   */
  async snapshot<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    return await this.#connected((client) =>
      within(client, ['BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', 'ROLLBACK'], () =>
        work(new Session(client)),
      ),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.few[Symbol.asyncDispose]();
    await this.orm.destroy();
  }

  async #connected<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const driver = this.orm.driver as PostgresDriver;
    const [client, release] = (await driver.obtainMasterConnection()) as [
      PoolClient,
      (error?: Error) => void,
    ];
    return await listening(client, release, work);
  }
}
