/** Letters that mean a character behind a backslash, as in a dump of MySQL; any other stands for itself. */
export const ESCAPED_LETTERS: Readonly<Record<string, string>> = {
  '0': '\0',
  b: '\b',
  n: '\n',
  r: '\r',
  t: '\t',
  Z: '\u001A',
};

/** A whole cell that is NULL, outside of quotes. */
export const ESCAPED_NULL = String.raw`\N`;

/** `\r\n` behind a backslash is one line end, and belongs to the cell. */
const ESCAPED = String.raw`\\(\r\n|[^])`;

/** Makes the text of a cell; `doubled`: the quotes of a cell that is in them. */
export function unescaper(doubled: string): (raw: string) => string {
  const mark = doubled.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  const pattern = new RegExp(doubled === '' ? ESCAPED : `${ESCAPED}|${mark}${mark}`, 'g');
  return (raw) =>
    raw.replace(pattern, (_, escaped: string | undefined) =>
      escaped === undefined ? doubled : (ESCAPED_LETTERS[escaped] ?? escaped),
    );
}

const SPACE = 0x20;
const TAB = 0x09;
const BACKSLASH = 0x5c;

/** Of a character or a byte: what is left out around cells where that is asked for. */
export function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

/** Where what lies between ends without the blanks behind it; one that is escaped belongs to it. */
export function endWithoutBlanks(
  codeAt: (at: number) => number,
  from: number,
  to: number,
  escape: string,
): number {
  let end = to;
  while (end > from && isBlank(codeAt(end - 1))) end -= 1;
  if (end === to || escape === '') return end;
  let first = end;
  while (first > from && codeAt(first - 1) === BACKSLASH) first -= 1;
  return (end - first) % 2 === 0 ? end : end + 1;
}

export function trimmedEnd(raw: string, escape: string): string {
  return raw.slice(
    0,
    endWithoutBlanks((at) => raw.charCodeAt(at), 0, raw.length, escape),
  );
}
