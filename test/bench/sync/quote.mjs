/** A word of the shell. */
export function quote(text) {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
