import type { Clock } from '../domain/clock.js';
import type { Sql } from './database.js';

/**
 * The database's time plus an offset, read through this machine's monotonic clock between two readings
 * of the database: scheduling decisions do not follow a process's own wall clock (engine rule 14).
 */
export class DatabaseClock implements Clock {
  readonly #offsetMs: number;
  #databaseMs: number;
  #readAt: number;

  private constructor(databaseMs: number, offsetMs: number) {
    this.#databaseMs = databaseMs;
    this.#readAt = performance.now();
    this.#offsetMs = offsetMs;
  }

  /** `offsetMs` moves the clock, so that a test can simulate a day. */
  static async open(sql: Sql, offsetMs: number): Promise<DatabaseClock> {
    return new DatabaseClock(await readDatabaseMs(sql), offsetMs);
  }

  now(): Date {
    return new Date(this.#databaseMs + (performance.now() - this.#readAt) + this.#offsetMs);
  }

  async refresh(sql: Sql): Promise<void> {
    this.#databaseMs = await readDatabaseMs(sql);
    this.#readAt = performance.now();
  }
}

async function readDatabaseMs(sql: Sql): Promise<number> {
  const [row] = await sql.rows<{ now: Date }>(`SELECT clock_timestamp() AS now`);
  if (row === undefined) throw new Error('The database did not tell its time.');
  return row.now.getTime();
}
