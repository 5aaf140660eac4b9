import { setTimeout as sleep } from 'node:timers/promises';

import type { PoolClient, QueryResult } from 'pg';

import { CopyIn, type CopyRows } from './copy-rows.js';

/** Anything SQL can be sent to: the database itself, or one open transaction of it. */
export interface Sql {
  /** Sends one statement and returns its rows. Column names arrive as the statement spells them. */
  rows<T>(text: string, values?: readonly unknown[]): Promise<T[]>;
  /** Sends one statement and returns how many rows it changed. */
  run(text: string, values?: readonly unknown[]): Promise<number>;
  /**
   * Sends one statement of whose answer nothing is needed. It need not be waited for: where it fails, so does
   * the next one, or the end of the transaction, with its error.
   */
  send(text: string, values?: readonly unknown[]): Promise<void>;
  /** Sends rows to a table, `into` with its columns in brackets. Returns how many the server took. */
  copy(into: string, rows: CopyRows): Promise<number>;
  /**
   * In a transaction of {@link FewRows}: from here on statements may be of many rows, and are planned for
   * their values. Nothing to do in any other.
   */
  expectMany(): Promise<void>;
  /** A statement is planned once here, so that one which finds out more costs little. */
  readonly keepsPlans: boolean;
}

const DEADLOCK = '40P01';
const SERIALIZATION_FAILURE = '40001';
const MAX_TRIES = 8;
const MAX_PAUSE_MS = 25;
/** An administrator or a crash ended it, the database was dropped, it was idle for too long. */
const ENDS_CONNECTION = /^(57P0[1-5]|25P0[34]|08...)$/;

/** Statements on one connection. */
export class Session implements Sql {
  readonly #client: PoolClient;

  get keepsPlans(): boolean {
    return false;
  }

  constructor(client: PoolClient) {
    this.#client = client;
  }

  async rows<T>(text: string, values: readonly unknown[] = []): Promise<T[]> {
    return (await this.query(text, values)).rows as T[];
  }

  async run(text: string, values: readonly unknown[] = []): Promise<number> {
    return (await this.query(text, values)).rowCount ?? 0;
  }

  async send(text: string, values: readonly unknown[] = []): Promise<void> {
    await this.query(text, values);
  }

  async copy(into: string, rows: CopyRows): Promise<number> {
    return await this.#client.query(new CopyIn(into, rows)).done;
  }

  async expectMany(): Promise<void> {
    // Planned for its values is every statement that has no name.
  }

  protected async query(
    text: string,
    values: readonly unknown[],
    name?: string,
  ): Promise<QueryResult> {
    return await this.#client.query({
      ...(name === undefined ? {} : { name }),
      text,
      values: [...values],
    });
  }
}

/** Works with a connection of a pool and gives it back, or up where it was lost. */
export async function listening<T>(
  client: PoolClient,
  release: (error?: Error) => void,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  let lost: Error | undefined;
  // Without a listener a connection that is lost between two statements would end the process.
  const onError = (error: Error): void => {
    lost = error;
  };
  client.on('error', onError);
  try {
    return await work(client);
  } catch (error) {
    // The server says that it ends a connection before the socket is closed: whoever took it in between lost it.
    if (ENDS_CONNECTION.test(sqlStateOf(error) ?? '') && error instanceof Error) lost ??= error;
    throw error;
  } finally {
    client.off('error', onError);
    release(lost);
  }
}

/** Runs `work` between two statements; what it throws rolls back what it did. */
export async function within<T>(
  client: PoolClient,
  [begin, end]: readonly [string, string],
  work: () => Promise<T>,
): Promise<T> {
  try {
    await client.query(begin);
    const result = await work();
    await client.query(end);
    return result;
  } catch (error) {
    await rollBack(client);
    throw error;
  }
}

/** Never rejects: the connection may be gone, and the error before tells why. */
export async function rollBack(client: PoolClient): Promise<void> {
  await client.query('ROLLBACK').catch(() => undefined);
}

/** Repeats a transaction that the server ended for the sake of another one. */
export async function repeating<T>(transaction: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await transaction();
    } catch (error) {
      const code = sqlStateOf(error);
      if ((code !== DEADLOCK && code !== SERIALIZATION_FAILURE) || attempt >= MAX_TRIES)
        throw error;
      // At once it met the same others in the same place: seen eight times in a row.
      await sleep(Math.random() * attempt * MAX_PAUSE_MS);
    }
  }
}

/** The SQLSTATE of a database error, also where another error was made of it. */
export function sqlStateOf(error: unknown): string | undefined {
  for (let at = error; typeof at === 'object' && at !== null;) {
    if ('code' in at && typeof at.code === 'string' && /^[0-9A-Z]{5}$/.test(at.code))
      return at.code;
    at = 'driverError' in at ? at.driverError : 'cause' in at ? at.cause : undefined;
  }
  return undefined;
}
