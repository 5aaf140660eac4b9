import { PluginError } from '../error.js';
import type { Slice } from '../reader.js';
import type { AttemptIdentity } from '../run.js';
import type { ResumedRun, SlicesRead } from '../writer.js';
import { runOf } from './ledger.js';
import type { SqlDialect } from './statements.js';

/** The connection that the statements of a slice table run on. */
export interface SliceSession {
  rows(sql: string): Promise<readonly (readonly (string | null)[])[]>;
  /** Gives how many rows it has changed. */
  change(sql: string): Promise<number>;
}

const COUNTS = 'rows_read, rows_written, rows_filtered, rows_dirty, bytes';
/** Of the row that says whose slices these are. It is written last: without it they are not complete. */
const HEAD = -1;
const STATEMENT_CHARS = 256 * 1024;
/** Beyond every wait between the attempts of a run. */
const KEPT_DAYS = 7;

/**
 * The slices of a run, in a table beside its staging table. A slice is marked in the transaction that
 * commits its rows, so that rows and mark are there both or neither, and a crash of the server that empties
 * one empties the other.
 *
 * Which channel reads a slice is kept nowhere: a slice is never cut in two once it is stored, and a channel
 * that takes over what another has not begun takes over whole ones.
 */
export class SliceTable {
  readonly quoted: string;
  readonly #dialect: SqlDialect;
  readonly #literal: (text: string) => string;

  /** `quoted` is the name, `literal` the server's own quoting of a text. */
  constructor(quoted: string, dialect: SqlDialect, literal: (text: string) => string) {
    this.quoted = quoted;
    this.#dialect = dialect;
    this.#literal = literal;
  }

  /** Makes it and stores the slices of this run. */
  async keep(
    session: SliceSession,
    identity: AttemptIdentity,
    resumeKey: string,
    slices: readonly Slice[],
  ): Promise<void> {
    const isMysql = this.#dialect === 'mysql';
    const options = isMysql ? ' ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin' : '';
    await session.change(`CREATE ${isMysql ? '' : 'UNLOGGED '}TABLE ${this.quoted} (
  no integer NOT NULL PRIMARY KEY,
  slice ${isMysql ? 'longtext' : 'text'} NOT NULL,
  is_committed smallint NOT NULL,
  rows_read bigint NOT NULL,
  rows_written bigint NOT NULL,
  rows_filtered bigint NOT NULL,
  rows_dirty bigint NOT NULL,
  bytes bigint NOT NULL,
  kept_at ${isMysql ? 'timestamp(6)' : 'timestamptz'} NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
)${options}`);
    let values: string[] = [];
    let chars = 0;
    const flush = async (): Promise<void> => {
      if (values.length > 0) {
        const columns = `no, slice, is_committed, ${COUNTS}`;
        await session.change(`INSERT INTO ${this.quoted} (${columns}) VALUES ${values.join(', ')}`);
      }
      values = [];
      chars = 0;
    };
    for (const slice of slices) {
      const value = this.#row(slice.no, JSON.stringify(slice));
      if (chars + value.length > STATEMENT_CHARS) await flush();
      values.push(value);
      chars += value.length;
    }
    await flush();
    values.push(this.#row(HEAD, this.#head(identity, resumeKey)));
    await flush();
  }

  /** Marks what was read, in the transaction of its rows. */
  async commit(session: SliceSession, read: SlicesRead, rowsWritten: number): Promise<void> {
    const [first] = read.slices;
    if (first === undefined) return;
    // The counts are of all of them together; only their sums are of use.
    const atFirst = (n: number): string => `CASE WHEN no = ${first} THEN ${n} ELSE 0 END`;
    const changed = await session.change(
      `UPDATE ${this.quoted} SET is_committed = 1, rows_read = ${atFirst(read.rowsRead)},
              rows_written = ${atFirst(rowsWritten)}, rows_filtered = ${atFirst(read.rowsFiltered)},
              rows_dirty = ${atFirst(read.rowsDirty)}, bytes = ${atFirst(read.bytes)}
        WHERE is_committed = 0 AND no IN (${read.slices.join(', ')})`,
    );
    if (changed === read.slices.length) return;
    const text = `${read.slices.length} slices were read and ${changed} of them were to be read`;
    throw new PluginError('MR-P105', text);
  }

  /**
   * What is left of a run whose table this was. `undefined`: it is of another run or job, it is not complete,
   * or rows were dirty, which the attempt that has met them alone could tell.
   */
  async resume(
    session: SliceSession,
    identity: AttemptIdentity,
    resumeKey: string,
  ): Promise<ResumedRun | undefined> {
    const rows = await session.rows(
      `SELECT no, slice, is_committed, ${COUNTS} FROM ${this.quoted} ORDER BY no`,
    );
    const [head, ...stored] = rows;
    if (head?.[0] !== String(HEAD) || head[1] !== this.#head(identity, resumeKey)) return undefined;
    const committed = stored.filter((row) => row[2] === '1');
    const sum = (at: number): number => committed.reduce((n, row) => n + Number(row[at]), 0);
    const [rowsRead, rowsWritten, filtered, dirty, bytes] = [
      sum(3),
      sum(4),
      sum(5),
      sum(6),
      sum(7),
    ];
    if (dirty > 0 || rowsRead !== rowsWritten + filtered) return undefined;
    const slices = stored
      .filter((row) => row[2] !== '1')
      .map((row) => JSON.parse(row[1] ?? '') as Slice);
    return { slices, committed: committed.length, rowsRead, rowsWritten, bytes };
  }

  /** Whether an attempt may still come that goes on with it; one that comes later begins anew. */
  async isWanted(session: SliceSession): Promise<boolean> {
    const days = this.#dialect === 'mysql' ? `${KEPT_DAYS} DAY` : `'${KEPT_DAYS} days'`;
    const [row] = await session.rows(
      `SELECT CASE WHEN MAX(kept_at) > now() - INTERVAL ${days} THEN 1 ELSE 0 END FROM ${this.quoted}`,
    );
    return row?.[0] === '1';
  }

  #head(identity: AttemptIdentity, resumeKey: string): string {
    return `${runOf(identity)} ${resumeKey}`;
  }

  #row(no: number, text: string): string {
    return `(${no}, ${this.#literal(text)}, 0, 0, 0, 0, 0, 0)`;
  }
}
