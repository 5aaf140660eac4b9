import type { ReaderJob, Slice } from '@millrace/sdk';
import type { Rate } from '../domain/channel/rate-limit.js';

/** Enough that a slice which runs long leaves something to take over. */
const PIECES_PER_SLICE = 4;
/** More slices than channels, so that a slow slice does not leave the others idle at the end. */
const SLICES_PER_CHANNEL = 4;

const LABELS_SHOWN = 20;
/** Of one piece: some 0.7 s of a channel's work at 25 MB/s, so a slice of four is 2 to 5 s. */
const PIECE_BYTES = 16 * 1024 * 1024;
const PIECE_SECONDS = 0.7;

/** The pieces of a source for so many channels; the limit is that of all of them together. */
export async function piecesOf(
  reader: Pick<ReaderJob, 'slices'>,
  channels: number,
  { bytesPerSecond = Number.POSITIVE_INFINITY, rowsPerSecond }: Rate = {},
): Promise<readonly Slice[]> {
  const ofPiece = (perSecond: number): number => Math.ceil((perSecond / channels) * PIECE_SECONDS);
  const bytes = Math.min(PIECE_BYTES, ofPiece(bytesPerSecond));
  const rows = rowsPerSecond === undefined ? {} : { rows: ofPiece(rowsPerSecond) };
  const count = channels === 1 ? 1 : channels * SLICES_PER_CHANNEL * PIECES_PER_SLICE;
  const pieces: Slice[] = [];
  for await (const piece of reader.slices({ count, bytes, ...rows })) pieces.push(piece);
  return pieces;
}

/**
 * What one channel reads, writes and commits at once: pieces of the source that follow one another. A
 * channel without work takes over those that have not been begun.
 */
export class RunningSlice {
  /** As the writer knows it. */
  readonly slice: Slice;
  readonly #pieces: Slice[];
  readonly #read: number[] = [];

  constructor(no: number, pieces: readonly Slice[]) {
    this.#pieces = [...pieces];
    const [first, last] = [pieces[0], pieces.at(-1)];
    const label = first === last ? first?.label : `${first?.label ?? ''} … ${last?.label ?? ''}`;
    this.slice = { no, bounds: pieces.map((piece) => piece.bounds), label: label ?? '' };
  }

  get unread(): number {
    return this.#pieces.length;
  }

  /** The next piece to read; from now on nobody can take it. */
  next(): Slice | undefined {
    const piece = this.#pieces.shift();
    if (piece !== undefined) this.#read.push(piece.no);
    return piece;
  }

  /** The numbers of the pieces that `next` has given. */
  get read(): readonly number[] {
    return this.#read;
  }

  /** Gives up the later half of what is unread. */
  giveUp(): readonly Slice[] {
    return this.#pieces.splice(Math.floor(this.#pieces.length / 2));
  }
}

/** The slices of a run, each piece in exactly one of them at every moment. */
export class SliceQueue {
  readonly #waiting: RunningSlice[] = [];
  readonly #running = new Set<RunningSlice>();
  /** How many slices over how many channels, and the first of them. */
  readonly text: string;
  readonly #isCut: boolean;
  #nextNo = 0;
  /** Slices made of what another channel had not begun. */
  taken = 0;

  /** Unless it `isCut`, every piece stays a slice of its own, under its own number. */
  constructor(pieces: readonly Slice[], channels: number, { isCut = true } = {}) {
    this.#isCut = isCut;
    const slices = channels * SLICES_PER_CHANNEL;
    const most = isCut ? PIECES_PER_SLICE : 1;
    const size = Math.min(most, Math.max(1, Math.floor(pieces.length / slices)));
    for (let i = 0; i < pieces.length; i += size) {
      this.#waiting.push(new RunningSlice(this.#nextNo++, pieces.slice(i, i + size)));
    }
    const labels = this.#waiting.map(({ slice }) => slice.label);
    const shown = labels.slice(0, LABELS_SHOWN).join(', ');
    const more = labels.length > LABELS_SHOWN ? ', …' : '';
    this.text = `${labels.length} over ${channels} channels: ${shown}${more}`;
  }

  /** How many slices there are so far. */
  get size(): number {
    return this.#nextNo;
  }

  /** The next slice, or half of what the running slice with the most unread pieces has left. */
  take(): RunningSlice | undefined {
    const slice = this.#waiting.shift() ?? this.#takeOver();
    if (slice !== undefined) this.#running.add(slice);
    return slice;
  }

  done(slice: RunningSlice): void {
    this.#running.delete(slice);
  }

  #takeOver(): RunningSlice | undefined {
    if (!this.#isCut) return undefined;
    const [longest] = [...this.#running].toSorted((a, b) => b.unread - a.unread);
    if (longest === undefined || longest.unread === 0) return undefined;
    this.taken += 1;
    return new RunningSlice(this.#nextNo++, longest.giveUp());
  }
}
