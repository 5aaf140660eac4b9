import type { LineRange } from './line-range.ts';

const GROUP = /^(?:\S+Z (?:INFO|WARN|ERROR)\s+)?::group::(.*)$/;
const END = /^(?:\S+Z (?:INFO|WARN|ERROR)\s+)?::endgroup::/;

/** What the search must find for {@link groupsOf}. */
export const GROUP_MARKS = '^(?:\\S+Z (?:INFO|WARN|ERROR)\\s+)?::(?:end)?group::';

/** The title of a group that begins at this line. */
export function groupTitle(line: string): string | undefined {
  const [, title] = GROUP.exec(line) ?? [];
  return title;
}

/** The lines of each group by the line of its beginning. A group ends where the next begins or the log does. */
export function groupsOf(
  marks: readonly { readonly line: number; readonly text: string }[],
  total: number,
): Map<number, LineRange> {
  const groups = new Map<number, LineRange>();
  let open: number | undefined;
  const close = (last: number): void => {
    if (open !== undefined && last > open) groups.set(open, { first: open + 1, last });
    open = undefined;
  };
  for (const { line, text } of marks) {
    if (END.test(text)) close(line);
    else {
      close(line - 1);
      open = line;
    }
  }
  close(total - 1);
  return groups;
}

/** Rows that are shown, where some lines are folded away. `folded` is in order and does not overlap. */
export class FoldedRows {
  readonly total: number;
  readonly #folded: readonly LineRange[];

  constructor(lines: number, folded: readonly LineRange[]) {
    this.#folded = folded.filter(({ first }) => first < lines);
    const hidden = this.#folded.reduce(
      (sum, { first, last }) => sum + Math.min(last, lines - 1) - first + 1,
      0,
    );
    this.total = lines - hidden;
  }

  lineOf(row: number): number {
    let line = row;
    for (const { first, last } of this.#folded) {
      if (first > line) break;
      line += last - first + 1;
    }
    return line;
  }

  /** The row of a line; for a folded one that of the beginning of its group. */
  rowOf(line: number): number {
    let row = line;
    for (const { first, last } of this.#folded) {
      if (first > line) break;
      row -= Math.min(line, last) - first + 1;
    }
    return row;
  }
}
