import { styledText } from './ansi-text.ts';
import type { LineRange } from './line-range.ts';
import type { LoadLines } from './log-window.ts';

const AT_ONCE = 5_000;
/** A clipboard is no file. */
export const MAX_COPIED = 100_000;

/** The visible text of the lines, without their numbers. */
export async function textOfLines(load: LoadLines, { first, last }: LineRange): Promise<string> {
  const lines: string[] = [];
  while (first + lines.length <= last) {
    const left = last - first + 1 - lines.length;
    const answer = await load(first + lines.length, Math.min(AT_ONCE, left));
    if (answer.lines.length === 0) break;
    lines.push(...answer.lines.map((line) => styledText(line).text));
  }
  return `${lines.join('\n')}\n`;
}
