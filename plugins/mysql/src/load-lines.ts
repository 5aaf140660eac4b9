import { CONTROLS } from './copy-control.js';
import type { LineKeys } from './line-keys.js';
import { loadColumns } from './load-columns.js';
import { LocalFile } from './local-file.js';
import { isDataError, serverErrorOf } from './mysql-error.js';
import type { Session, StatementResult } from './session.js';
import type { SkippedLine, SkippedLines } from './skipped-lines.js';
import type { ColumnPair } from './writer-target.js';

const LINE_FEED = 0x0a;
const BACKSLASH = 0x5c;
const TAB = 0x09;
const ZERO = 0x30;
const NINE = 0x39;
const SAVEPOINT = 'millrace_lines';
/** What MySQL and MariaDB say to LOAD DATA LOCAL where it is not allowed. */
const LOCAL_OFF: ReadonlySet<number> = new Set([1148, 3948, 4166]);

/** One LOAD DATA LOCAL that is under way. */
export interface LineLoad {
  /** Resolves when there is room for more. */
  add(data: Uint8Array, rows: number, firstNo: number): Promise<void>;
  /**
   * Resolves to the lines that were skipped because their key is taken, when every other line is stored as it
   * was; else to `undefined`: nothing of them is stored, and they have to go by INSERT, which says what is
   * wrong with which. The server's own count and warnings decide: LOCAL skips what it cannot store and changes
   * what it cannot hold, and still says OK.
   *
   * `lines`: all that were added, to look for the skipped ones.
   */
  end(lines: readonly Uint8Array[]): Promise<readonly SkippedLine[] | undefined>;
  /** The transaction is rolled back. */
  drop(): Promise<void>;
}

/** Loads COPY lines by LOAD DATA LOCAL on a session that is in a transaction. */
export class LoadLines {
  readonly #session: Session;
  readonly #into: string;
  readonly #sql: string;
  readonly #isNumbered: boolean;
  readonly #skippedLines: SkippedLines | undefined;
  #isOff = false;
  /** The last statement has skipped some: their keys will be asked for again. */
  #hadSkipped = false;

  private constructor(
    session: Session,
    into: string,
    sql: string,
    isNumbered: boolean,
    skippedLines: SkippedLines | undefined,
  ) {
    this.#into = into;
    this.#skippedLines = skippedLines;
    this.#session = session;
    this.#sql = sql;
    this.#isNumbered = isNumbered;
  }

  /** `numberColumn`, quoted: each line gets its number in it. `undefined` where LOAD DATA must not be used. */
  static of(
    session: Session,
    into: string,
    pairs: readonly ColumnPair[],
    numberColumn: string | undefined,
    skippedLines: SkippedLines | undefined,
  ): LoadLines | undefined {
    const columns = session.mayLoadLocal ? loadColumns(pairs) : undefined;
    if (columns === undefined) return undefined;
    const list = numberColumn === undefined ? columns.list : [numberColumn, ...columns.list];
    const set = columns.set.length === 0 ? '' : ` SET ${columns.set.join(', ')}`;
    const sql =
      `LOAD DATA LOCAL INFILE 'millrace' INTO TABLE ${into} CHARACTER SET utf8mb4 ` +
      String.raw`FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\n'` +
      ` (${list.join(', ')})${set}`;
    return new LoadLines(session, into, sql, numberColumn !== undefined, skippedLines);
  }

  /** Begins a statement to which lines are added as they come. */
  async begin(): Promise<LineLoad> {
    await this.#session.run(`SAVEPOINT ${SAVEPOINT}`);
    const file = new LocalFile();
    const sent = this.#send(file);
    // Who waits for it comes later.
    sent.catch(() => undefined);
    let all = 0;
    return {
      add: async (data, rows, firstNo) => {
        all += rows;
        const lines = plainControls(bytesOf(data));
        await file.add(this.#isNumbered ? numbered(lines, rows, firstNo) : lines);
      },
      end: async (lines) => {
        file.end();
        const keysOf = (): LineKeys | undefined => this.#skippedLines?.keysOf(lines.map(bytesOf));
        // The server has some of it still to read.
        const early = this.#hadSkipped ? keysOf() : undefined;
        const result = await sent;
        if (result?.warnings === 0 && result.affectedRows === all) {
          this.#hadSkipped = false;
          return [];
        }
        const skipped = await this.#skipped(result, all, early ?? keysOf());
        this.#hadSkipped = skipped !== undefined;
        if (skipped === undefined) await this.#session.run(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`);
        return skipped;
      },
      drop: async () => {
        file.end();
        await sent.catch(() => undefined);
      },
    };
  }

  async #skipped(
    result: StatementResult | undefined,
    all: number,
    lines: LineKeys | undefined,
  ): Promise<readonly SkippedLine[] | undefined> {
    if (result === undefined || lines === undefined) return undefined;
    return await this.#skippedLines?.find({
      lines,
      skipped: all - result.affectedRows,
      warnings: await this.#session.warnings(),
      session: this.#session,
      into: this.#into,
    });
  }

  /** Somebody has switched it off on the server since the session began. */
  get isOff(): boolean {
    return this.#isOff;
  }

  /** `undefined`: one of the values ends the statement, as a text that is no JSON does; or it is off now. */
  async #send(file: LocalFile): Promise<StatementResult | undefined> {
    try {
      return await this.#session.loadLocal(this.#sql, file);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#isOff = LOCAL_OFF.has(serverErrorOf(error.cause).errno);
      if (this.#isOff || isDataError(error.cause)) return undefined;
      throw error;
    }
  }
}

function bytesOf(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

function plainControls(lines: Buffer): Buffer {
  let from = lines.indexOf(BACKSLASH);
  if (from === -1) return lines;
  const out = Buffer.allocUnsafe(lines.length);
  lines.copy(out, 0, 0, from);
  let at = from;
  while (from < lines.length) {
    const byte = lines[from++] ?? 0;
    if (byte !== BACKSLASH) {
      out[at++] = byte;
      continue;
    }
    const letter = lines[from++] ?? 0;
    const control = CONTROLS.get(letter);
    if (control === undefined) out[at++] = BACKSLASH;
    out[at++] = control ?? letter;
  }
  return out.subarray(0, at);
}

/** Byte by byte: a call of `write` and one of `copy` for each line took half as long again, and left garbage. */
function numbered(lines: Buffer, rows: number, firstNo: number): Buffer {
  const most = String(firstNo + rows).length;
  const out = Buffer.allocUnsafe(lines.length + rows * (most + 1));
  let number: Buffer = Buffer.from(String(firstNo));
  let at = 0;
  for (let from = 0; from < lines.length;) {
    for (let i = 0; i < number.length; i++) out[at++] = number[i] ?? 0;
    out[at++] = TAB;
    for (let byte = -1; byte !== LINE_FEED;) {
      byte = lines[from++] ?? LINE_FEED;
      out[at++] = byte;
    }
    number = next(number);
  }
  return out.subarray(0, at);
}

/** One more, in the same buffer where it has the digits. */
function next(number: Buffer): Buffer {
  let at = number.length - 1;
  while (at >= 0 && number[at] === NINE) number[at--] = ZERO;
  if (at < 0) return Buffer.concat([Buffer.from('1'), number]);
  number[at] = (number[at] ?? 0) + 1;
  return number;
}
