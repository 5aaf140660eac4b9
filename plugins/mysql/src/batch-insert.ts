import type { Cell } from '@millrace/sdk';

import { isDataError, isValueWarning, mysqlError, serverErrorOf } from './mysql-error.js';
import type { Session, StatementResult } from './session.js';

/** A row ready to be sent, beside the cells it was made of. */
export interface PreparedRow {
  readonly tuple: string;
  readonly cells: readonly Cell[];
}

export interface Refusal {
  readonly code: string;
  readonly reason: string;
}

const SAVEPOINT = 'millrace_chunk';

/** Inserts rows in large statements on a session that is in a transaction; refused rows are found by halving. */
export class BatchInsert {
  readonly #session: Session;
  /** `INSERT INTO t (…) VALUES ` */
  readonly #head: string;
  readonly #batchChars: number;
  readonly #maxBytes: number;
  readonly #onRefused: (row: PreparedRow, refusal: Refusal) => Promise<void>;

  constructor(
    session: Session,
    head: string,
    maxAllowedPacket: number,
    onRefused: (row: PreparedRow, refusal: Refusal) => Promise<void>,
  ) {
    this.#session = session;
    this.#head = head;
    // A character takes up to four bytes.
    this.#batchChars = Math.min(1_000_000, Math.floor(maxAllowedPacket / 4) - head.length);
    this.#maxBytes = maxAllowedPacket - 1_024;
    this.#onRefused = onRefused;
  }

  /** How many rows were written; the others were refused. */
  async insert(rows: readonly PreparedRow[]): Promise<number> {
    let written = 0;
    let batch: PreparedRow[] = [];
    let chars = 0;
    for (const row of rows) {
      if (batch.length > 0 && chars + row.tuple.length > this.#batchChars) {
        written += await this.#insertBatch(batch);
        batch = [];
        chars = 0;
      }
      batch.push(row);
      chars += row.tuple.length + 1;
    }
    return written + (await this.#insertBatch(batch));
  }

  async #insertBatch(rows: readonly PreparedRow[]): Promise<number> {
    const [first] = rows;
    if (first === undefined) return 0;
    const values = rows.map((row) => row.tuple).join(',');
    const refusal =
      this.#tooLarge(rows) ??
      (await this.attempt(rows.length, () => this.#session.runRaw(this.#head + values)));
    if (refusal === undefined) return rows.length;
    if (rows.length === 1) {
      await this.#onRefused(first, refusal);
      return 0;
    }
    const half = Math.ceil(rows.length / 2);
    const left = await this.#insertBatch(rows.slice(0, half));
    return left + (await this.#insertBatch(rows.slice(half)));
  }

  #tooLarge(rows: readonly PreparedRow[]): Refusal | undefined {
    const [first] = rows;
    if (rows.length > 1 || first === undefined) return undefined;
    const bytes = Buffer.byteLength(first.tuple) + Buffer.byteLength(this.#head);
    if (bytes <= this.#maxBytes) return undefined;
    return { code: '1153', reason: `the row is larger than the server's max_allowed_packet` };
  }

  /** One statement that inserts so many rows; why it was refused, in which case nothing of it is stored. */
  async attempt(
    rows: number,
    insert: () => Promise<StatementResult>,
  ): Promise<Refusal | undefined> {
    await this.#session.run(`SAVEPOINT ${SAVEPOINT}`);
    const refusal = await this.#attempt(rows, insert);
    if (refusal !== undefined) await this.#session.run(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`);
    return refusal;
  }

  async #attempt(
    rows: number,
    insert: () => Promise<StatementResult>,
  ): Promise<Refusal | undefined> {
    try {
      const { warnings, affectedRows } = await insert();
      if (warnings > 0) return await this.#changedValue();
      if (affectedRows === rows) return undefined;
      return { code: 'MR-D204', reason: `the server has inserted ${affectedRows} of ${rows} rows` };
    } catch (error) {
      if (!isDataError(error)) throw mysqlError(error);
      const { errno, message } = serverErrorOf(error);
      return { code: String(errno), reason: message };
    }
  }

  /** Strict mode still lets some changes pass with a note: digits cut from a decimal, blanks from a text. */
  async #changedValue(): Promise<Refusal | undefined> {
    const warnings = await this.#session.warnings();
    const found = warnings.find((w) => isValueWarning(w.errno));
    return found === undefined ? undefined : { code: String(found.errno), reason: found.message };
  }
}
