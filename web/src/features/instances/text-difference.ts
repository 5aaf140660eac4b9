/** Where two texts differ, with a few lines around it which both have. */
export interface TextDifference {
  readonly before: readonly string[];
  readonly planned: readonly string[];
  readonly latest: readonly string[];
  readonly after: readonly string[];
  /** Both have more lines in front of `before`. */
  readonly isCutBefore: boolean;
  readonly isCutAfter: boolean;
}

const CONTEXT_LINES = 2;

/** One place from the first line that differs to the last one: what lies between is shown as changed. */
export function textDifference(planned: string, latest: string): TextDifference {
  const a = linesOf(planned);
  const b = linesOf(latest);
  const shortest = Math.min(a.length, b.length);
  let head = 0;
  while (head < shortest && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < shortest - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  const end = a.length - tail;
  return {
    before: a.slice(Math.max(0, head - CONTEXT_LINES), head),
    planned: a.slice(head, end),
    latest: b.slice(head, b.length - tail),
    after: a.slice(end, end + CONTEXT_LINES),
    isCutBefore: head > CONTEXT_LINES,
    isCutAfter: tail > CONTEXT_LINES,
  };
}

/** A text that ends its last line has no empty one after it. */
function linesOf(text: string): string[] {
  if (text === '') return [];
  return text.replace(/\r?\n$/, '').split(/\r?\n/);
}
