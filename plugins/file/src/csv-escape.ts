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
