import { describe, expect, test } from '@jest/globals';
import type { Slice, SliceHint } from '@millrace/sdk';
import type { RunningSlice } from './slice-queue.js';
import { piecesOf as plannedPiecesOf, SliceQueue } from './slice-queue.js';

const piecesOf = (count: number): Slice[] =>
  Array.from({ length: count }, (_, no) => ({ no, bounds: no, label: `${no}` }));

/** Reads on in the order of `picks`, one piece a step; gives the pieces in the order they were read. */
function drain(queue: SliceQueue, channels: number, picks: Iterator<number>): readonly number[] {
  const open = new Map<number, RunningSlice>();
  const read: number[] = [];
  const ended = new Set<number>();
  while (ended.size < channels) {
    const channel = Number(picks.next().value) % channels;
    if (ended.has(channel)) continue;
    const slice = open.get(channel) ?? queue.take();
    const piece = slice?.next();
    if (slice === undefined) ended.add(channel);
    else if (piece === undefined) {
      queue.done(slice);
      open.delete(channel);
    } else {
      open.set(channel, slice);
      read.push(piece.no);
    }
  }
  return read;
}

function* random(seed: number): Generator<number> {
  let state = seed;
  for (;;) {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    yield state >> 8;
  }
}

describe('the slices of a run', () => {
  test('are asked for in pieces of 16 MB, or of 0.7 s of what a limit leaves to each channel', async () => {
    const hints: SliceHint[] = [];
    const reader = {
      async *slices(hint: SliceHint) {
        hints.push(hint);
        yield* piecesOf(1);
      },
    };
    await plannedPiecesOf(reader, 4);
    await plannedPiecesOf(reader, 4, { bytesPerSecond: 4_000_000 });
    await plannedPiecesOf(reader, 2, { rowsPerSecond: 1000 });
    expect(hints).toEqual([
      { count: 64, bytes: 16 * 1024 ** 2 },
      { count: 64, bytes: 700_000 },
      { count: 32, bytes: 16 * 1024 ** 2, rows: 350 },
    ]);
  });

  test('every piece is read once, however the channels overtake one another', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const channels = (seed % 5) + 1;
      const count = (seed * 7) % 90;
      const read = drain(new SliceQueue(piecesOf(count), channels), channels, random(seed));
      expect(read.toSorted((a, b) => a - b)).toEqual(piecesOf(count).map((p) => p.no));
    }
  });

  test('an idle channel takes the later half of what a slow one has not begun', () => {
    const queue = new SliceQueue(piecesOf(16), 1);
    const slow = queue.take();
    expect(slow?.next()?.no).toBe(0);
    for (let i = 1; i < 4; i++) {
      const other = queue.take();
      while (other?.next() !== undefined);
      if (other !== undefined) queue.done(other);
    }
    const last = queue.take();
    expect(last?.slice.no).toBe(4);
    expect([last?.next()?.no, last?.next()?.no, last?.next()]).toEqual([2, 3, undefined]);
    expect([slow?.next()?.no, slow?.next()]).toEqual([1, undefined]);
    expect(queue.taken).toBe(1);
    expect(queue.take()).toBeUndefined();
  });

  test('have numbers of their own, which the quarantine counts by', () => {
    const queue = new SliceQueue(piecesOf(32), 2);
    const numbers = new Set<number>();
    for (let slice = queue.take(); slice !== undefined; slice = queue.take()) {
      numbers.add(slice.slice.no);
      if (slice.unread < 3) while (slice.next() !== undefined);
    }
    expect(queue.taken).toBeGreaterThan(0);
    expect(numbers.size).toBe(8 + queue.taken);
  });

  test('that are not cut keep one piece each under its number, whoever reads them', () => {
    const queue = new SliceQueue(piecesOf(64), 2, { isCut: false });
    const pairs: unknown[] = [];
    let waiting = queue.take();
    while (waiting !== undefined) {
      const other = queue.take();
      pairs.push([waiting.slice.no, waiting.next()?.no, waiting.next()]);
      waiting = other;
    }
    expect(pairs).toEqual(piecesOf(64).map(({ no }) => [no, no, undefined]));
  });
});
