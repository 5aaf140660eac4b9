import type {
  ChecksumColumn,
  Chunk,
  Column,
  Lane,
  ReaderTask,
  RunLog,
  Slice,
  Verification,
  WriterJob,
} from '@millrace/sdk';
import { checksumFormOf } from '@millrace/sdk';
import { MillraceError } from '../domain/errors.js';
import { SentChecksum, sentColumnOf } from './sent-checksum.js';

interface VerifiedJob {
  readonly wanted: Verification;
  /** In the order of the mapping. */
  readonly pairs: readonly Pair[];
  /** Source and target are of one kind of data source. */
  readonly isSameSystem: boolean;
  /** Why the rows that arrive cannot be those of the source, e.g. that functions change them. */
  readonly changes: string | undefined;
  readonly hasSnapshot: boolean;
  /** An earlier attempt has sent a part of the rows. */
  readonly isResumed: boolean;
}

interface Pair {
  readonly source: Column;
  readonly target: Column;
}

/** A checksum that the target is asked for. */
interface Checksum {
  readonly columns: readonly ChecksumColumn[];
  /** Columns of the target that it leaves out. */
  readonly left: readonly string[];
}

/** Rows and checksum of a slice as they are sent; they count once it is committed. */
export interface SentRows {
  add(chunk: Chunk): void;
  commit(): void;
}

const NO_TEXT = 'no column has a text form in both systems';
const NOTHING: SentRows = { add: () => undefined, commit: () => undefined };

/**
 * Makes sure before a run publishes that what is in the target is what was written. A checksum is compared with
 * that of the source where what arrives is what the source holds, else with that of the rows as they were sent.
 */
export class RowVerification {
  readonly #wanted: Verification;
  readonly #pairs: readonly Pair[];
  /** What the source is asked for; of the same columns as `#read.columns`. */
  readonly #asked: readonly ChecksumColumn[];
  readonly #read: Checksum;
  readonly #sent: Checksum;
  /** Why the source's checksum is of no use, and why that of what was sent is not. */
  #unread: string | undefined;
  #unsent: string | undefined;
  #sum: SentChecksum | undefined;
  #rows = 0n;
  #checksum = 0n;

  constructor({ wanted, pairs, isSameSystem, changes, hasSnapshot, isResumed }: VerifiedJob) {
    this.#wanted = wanted;
    this.#pairs = pairs;
    const forms = pairs.map(({ source, target }) => checksumFormOf(source, target, isSameSystem));
    this.#asked = named(pairs, forms, 'source').columns;
    this.#read = named(pairs, forms, 'target');
    const sent = pairs.map(({ source, target }) => sentColumnOf(source, target)?.form);
    this.#sent = named(pairs, sent, 'target');
    if (changes !== undefined) this.#unread = changes;
    else if (!hasSnapshot) this.#unread = 'the source is not read in one snapshot';
    else if (this.#asked.length === 0) this.#unread = NO_TEXT;
    if (isResumed) this.#unsent = 'an earlier attempt has sent a part of the rows';
    else if (this.#sent.columns.length === 0) this.#unsent = NO_TEXT;
  }

  /** Whose checksum the target's is compared with; `undefined`: the rows are counted. */
  get #compared(): 'source' | 'sent' | undefined {
    if (this.#wanted !== 'checksum') return undefined;
    if (this.#unread === undefined) return 'source';
    return this.#unsent === undefined ? 'sent' : undefined;
  }

  /** What both ends can do, as each channel finds them before it reads. */
  meet(reader: ReaderTask, writer: WriterJob, lane: Lane): void {
    if (this.#wanted !== 'checksum') return;
    if (reader.tally === undefined) this.#unread ??= 'the source computes none';
    if (writer.tally === undefined) this.#unread = this.#unsent = 'the target computes none';
    if (lane === 'pg-copy-binary') this.#unsent ??= 'the rows go in a form that only servers read';
    if (this.#compared !== 'sent') return;
    this.#sum ??= new SentChecksum(
      this.#pairs.map(({ source }) => source),
      this.#pairs.map(({ source, target }) => sentColumnOf(source, target)),
    );
  }

  /** Says in the plan what will be compared, and what cannot be. */
  announce(log: RunLog): void {
    const compared = this.#compared;
    if (this.#wanted !== 'checksum') {
      log.info(`Verification: ${this.#wanted}`);
    } else if (compared === undefined) {
      const why = [...new Set([this.#unread, this.#unsent])].join(', and ');
      log.warn(`Verification: no checksum, ${why}; the rows are counted.`);
    } else {
      const { columns, left } = compared === 'source' ? this.#read : this.#sent;
      const names = columns.map((column) => column.name).join(', ');
      const how =
        compared === 'source' ? 'by both servers' : `of the rows as they are sent, by the target`;
      const why = compared === 'source' ? '' : ` (not by the source: ${this.#unread ?? ''})`;
      log.info(`Verification: checksum ${how} over ${names}${why}`);
      if (left.length > 0) {
        log.warn(`Verification: without ${left.join(', ')}: no text form in both systems`);
      }
    }
  }

  /** Asks the source for what it has just given. */
  async read(reader: ReaderTask, piece: Slice): Promise<void> {
    if (this.#compared !== 'source' || reader.tally === undefined) return;
    const { rows, checksum = '0' } = await reader.tally(piece, this.#asked);
    this.#rows += BigInt(rows);
    this.#checksum += BigInt(checksum);
  }

  /** For the rows of one slice. */
  sending(): SentRows {
    const sum = this.#sum;
    if (sum === undefined) return NOTHING;
    let [rows, checksum] = [0n, 0n];
    return {
      add: (chunk) => {
        rows += BigInt(chunk.rowCount);
        checksum += sum.of(chunk);
      },
      commit: () => {
        this.#rows += rows;
        this.#checksum += checksum;
      },
    };
  }

  /** Throws MR-D191 when the target does not hold what was committed. */
  async compare(
    writer: WriterJob,
    committed: { readonly rows: number; readonly dirty: number; readonly filtered: number },
    log: RunLog,
  ): Promise<void> {
    if (this.#wanted === 'none') return;
    const compared = this.#comparedOf(committed, log);
    const { columns } = compared === 'source' ? this.#read : this.#sent;
    const found = await writer.tally?.(compared === undefined ? [] : columns);
    if (found === undefined) {
      log.info(`Verified: ${committed.rows} rows by what the target said it took`);
      return;
    }
    if (found.rows !== committed.rows) {
      const text = `the target holds ${found.rows} rows of the run, ${committed.rows} were written`;
      throw new MillraceError('MR-D191', text);
    }
    if (compared === undefined) {
      log.info(`Verified: ${found.rows} rows, counted in the target`);
      return;
    }
    const isSame =
      this.#rows === BigInt(found.rows) && this.#checksum === BigInt(found.checksum ?? -1);
    const where = compared === 'source' ? 'in the source' : 'as they were sent';
    if (!isSame) {
      const ours = `${this.#rows} rows with checksum ${this.#checksum} ${where}`;
      const target = `${found.rows} rows with ${found.checksum ?? 'none'} in the target`;
      throw new MillraceError('MR-D191', `${ours}, ${target}`);
    }
    const both = compared === 'source' ? 'in source and target' : `${where} and in the target`;
    log.info(`Verified: ${found.rows} rows, checksum ${this.#checksum} ${both}`);
  }

  /** What the rows themselves have left of the comparison. */
  #comparedOf(
    { dirty, filtered }: { readonly dirty: number; readonly filtered: number },
    log: RunLog,
  ): 'source' | 'sent' | undefined {
    const compared = this.#compared;
    if (compared === undefined) return undefined;
    const column = compared === 'sent' ? this.#sum?.withoutText : undefined;
    const why =
      dirty > 0
        ? 'rows are dirty'
        : filtered > 0 && compared === 'source'
          ? 'rows are filtered'
          : column !== undefined
            ? `${column} has values without a text form in both systems`
            : undefined;
    if (why === undefined) return compared;
    log.warn(`Verification: no checksum, ${why}; the rows are counted.`);
    return undefined;
  }
}

function named(
  pairs: readonly Pair[],
  forms: readonly (ChecksumColumn['form'] | undefined)[],
  end: 'source' | 'target',
): Checksum {
  const columns = pairs.flatMap((pair, i) => {
    const form = forms[i];
    return form === undefined ? [] : [{ name: pair[end].name, form }];
  });
  const left = pairs.filter((_, i) => forms[i] === undefined).map((pair) => pair.target.name);
  return { columns, left };
}
