import type {
  ChecksumColumn,
  Column,
  ReaderTask,
  RunLog,
  Slice,
  Verification,
  WriterJob,
} from '@millrace/sdk';
import { checksumFormOf } from '@millrace/sdk';
import { MillraceError } from '../domain/errors.js';

interface VerifiedJob {
  readonly wanted: Verification;
  readonly pairs: readonly { readonly source: Column; readonly target: Column }[];
  /** Source and target are of one kind of data source. */
  readonly isSameSystem: boolean;
  /** Why the rows that arrive cannot be those of the source, e.g. that functions change them. */
  readonly changes: string | undefined;
  readonly hasSnapshot: boolean;
}

/** Of one column: the text form both servers know, and what they call it. */
interface Compared {
  readonly source: ChecksumColumn;
  readonly target: ChecksumColumn;
}

/** Makes sure before a run publishes that what is in the target is what was written, and what was read. */
export class RowVerification {
  readonly #wanted: Verification;
  readonly #columns: readonly Compared[];
  readonly #left: readonly string[];
  #obstacle: string | undefined;
  #rows = 0n;
  #checksum = 0n;

  constructor({ wanted, pairs, isSameSystem, changes, hasSnapshot }: VerifiedJob) {
    this.#wanted = wanted;
    const compared: Compared[] = [];
    const left: string[] = [];
    for (const { source, target } of pairs) {
      const form = checksumFormOf(source, target, isSameSystem);
      if (form === undefined) left.push(target.name);
      else {
        compared.push({
          source: { name: source.name, form },
          target: { name: target.name, form },
        });
      }
    }
    this.#columns = compared;
    this.#left = left;
    if (changes !== undefined) this.#obstacle = changes;
    else if (!hasSnapshot) this.#obstacle = 'the source is not read in one snapshot';
    else if (compared.length === 0) this.#obstacle = 'no column has a text form in both systems';
  }

  get #hasChecksum(): boolean {
    return this.#wanted === 'checksum' && this.#obstacle === undefined;
  }

  /** Says in the plan what will be compared, and what cannot be. Both ends are open by now. */
  announce(reader: ReaderTask, writer: WriterJob, log: RunLog): void {
    if (this.#wanted === 'checksum' && this.#obstacle === undefined) {
      if (reader.tally === undefined) this.#obstacle = 'the source computes none';
      else if (writer.tally === undefined) this.#obstacle = 'the target computes none';
    }
    if (this.#wanted === 'checksum' && this.#obstacle !== undefined) {
      log.warn(`Verification: no checksum, ${this.#obstacle}; the rows are counted.`);
    } else if (this.#wanted === 'checksum') {
      const names = this.#columns.map((column) => column.target.name).join(', ');
      log.info(`Verification: checksum by both servers over ${names}`);
      if (this.#left.length > 0) {
        const list = this.#left.join(', ');
        log.warn(`Verification: without ${list}: no text form in both systems`);
      }
    } else {
      log.info(`Verification: ${this.#wanted}`);
    }
  }

  /** Asks the source for what it has just given. */
  async read(reader: ReaderTask, piece: Slice): Promise<void> {
    if (!this.#hasChecksum || reader.tally === undefined) return;
    const columns = this.#columns.map((column) => column.source);
    const { rows, checksum = '0' } = await reader.tally(piece, columns);
    this.#rows += BigInt(rows);
    this.#checksum += BigInt(checksum);
  }

  /** Throws MR-D191 when the target does not hold what was committed. */
  async compare(
    writer: WriterJob,
    committed: { readonly rows: number; readonly dirty: number; readonly filtered: number },
    log: RunLog,
  ): Promise<void> {
    if (this.#wanted === 'none') return;
    const isWhole = committed.dirty === 0 && committed.filtered === 0;
    const hasChecksum = this.#hasChecksum && isWhole;
    if (this.#hasChecksum && !isWhole) {
      log.warn('Verification: no checksum, rows are dirty or filtered; the rows are counted.');
    }
    const columns = hasChecksum ? this.#columns.map((column) => column.target) : [];
    const found = await writer.tally?.(columns);
    if (found === undefined) {
      log.info(`Verified: ${committed.rows} rows by what the target said it took`);
      return;
    }
    if (found.rows !== committed.rows) {
      const text = `the target holds ${found.rows} rows of the run, ${committed.rows} were written`;
      throw new MillraceError('MR-D191', text);
    }
    if (!hasChecksum) {
      log.info(`Verified: ${found.rows} rows, counted in the target`);
      return;
    }
    const isSame =
      this.#rows === BigInt(found.rows) && this.#checksum === BigInt(found.checksum ?? -1);
    if (!isSame) {
      const source = `${this.#rows} rows with checksum ${this.#checksum} in the source`;
      const target = `${found.rows} rows with ${found.checksum ?? 'none'} in the target`;
      throw new MillraceError('MR-D191', `${source}, ${target}`);
    }
    log.info(`Verified: ${found.rows} rows, checksum ${this.#checksum} in source and target`);
  }
}
