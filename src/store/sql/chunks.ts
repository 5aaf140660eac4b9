/** As many rows as bulk surgery takes in one statement (engine rule 5). */
const CHUNK = 500;

export function chunksOf<T>(list: readonly T[]): T[][] {
  const chunks: T[][] = [];
  for (let at = 0; at < list.length; at += CHUNK) chunks.push(list.slice(at, at + CHUNK));
  return chunks;
}
