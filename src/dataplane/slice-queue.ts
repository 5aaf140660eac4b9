import type { Slice } from '@millrace/sdk';

/** Enough that a slice which runs long leaves something to take over. */
const PIECES_PER_SLICE = 4;
/** More slices than channels, so that a slow slice does not leave the others idle at the end. */
const SLICES_PER_CHANNEL = 4;

/** How many pieces the source should be cut in, at least, for so many channels. */
export function piecesFor(channels: number): number {
  return channels === 1 ? 1 : channels * SLICES_PER_CHANNEL * PIECES_PER_SLICE;
}

/**
 * What one channel reads, writes and commits at once: pieces of the source that follow one another. A
 * channel without work takes over those that have not been begun.
 */
export class RunningSlice {
  /** As the writer knows it. */
  readonly slice: Slice;
  readonly #pieces: Slice[];

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
    return this.#pieces.shift();
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
  readonly labels: readonly string[];
  #nextNo = 0;
  /** Slices made of what another channel had not begun. */
  taken = 0;

  constructor(pieces: readonly Slice[], channels: number) {
    const slices = channels * SLICES_PER_CHANNEL;
    const size = Math.min(PIECES_PER_SLICE, Math.max(1, Math.floor(pieces.length / slices)));
    for (let i = 0; i < pieces.length; i += size) {
      this.#waiting.push(new RunningSlice(this.#nextNo++, pieces.slice(i, i + size)));
    }
    this.labels = this.#waiting.map(({ slice }) => slice.label);
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
    const [longest] = [...this.#running].toSorted((a, b) => b.unread - a.unread);
    if (longest === undefined || longest.unread === 0) return undefined;
    this.taken += 1;
    return new RunningSlice(this.#nextNo++, longest.giveUp());
  }
}
