import type { ChunkMark } from '../../store/repositories/log-repository.js';

/** Chunks to be searched one after the other: those after `after` up to `until`. */
export interface SearchRange {
  readonly after: number;
  readonly until: number;
  /** Ends of lines in the chunks left out before. */
  readonly skipped: number;
}

/**
 * The chunks that a search must look at, of `marks` in their order: those that may hold a hit, with the
 * rest of the lines that go over their ends, and the last one, whose last line may have no end.
 */
export function searchRanges(marks: readonly ChunkMark[]): SearchRange[] {
  const needed = neededOf(marks);
  const ranges: SearchRange[] = [];
  let skipped = 0;
  for (const [at, { no, lineCount }] of marks.entries()) {
    const open = ranges.at(-1);
    if (!needed.has(at)) skipped += lineCount;
    else if (open !== undefined && needed.has(at - 1)) ranges.splice(-1, 1, { ...open, until: no });
    else {
      ranges.push({ after: no - 1, until: no, skipped });
      skipped = 0;
    }
  }
  return ranges;
}

function neededOf(marks: readonly ChunkMark[]): ReadonlySet<number> {
  const needed = new Set([marks.length - 1]);
  for (const [at, { mayHold }] of marks.entries()) {
    if (!mayHold) continue;
    needed.add(at);
    for (let before = at - 1; before >= 0 && !needed.has(before); before--) {
      needed.add(before);
      if (hasEnd(marks[before])) break;
    }
    for (let next = at + 1; next < marks.length; next++) {
      needed.add(next);
      if (hasEnd(marks[next])) break;
    }
  }
  return needed;
}

function hasEnd(mark: ChunkMark | undefined): boolean {
  return mark === undefined || mark.lineCount > 0;
}
