import type { Row, Sink } from './chunk.js';
import type { ReadStats } from './reader.js';

/**
 * Gives rows to a sink of the row lane in chunks of its size, waiting for credit before each. Cells are in the
 * order of the schema's columns. Throws the signal's reason between two chunks.
 */
export async function sendRows(
  rows: Iterable<Row> | AsyncIterable<Row>,
  out: Sink,
  signal: AbortSignal,
): Promise<ReadStats> {
  const stats = { rows: 0, bytes: 0 };
  let chunk: Row[] = [];
  let byteCount = 0;
  const send = async (): Promise<void> => {
    signal.throwIfAborted();
    stats.rows += chunk.length;
    stats.bytes += byteCount;
    const full = { lane: 'rows', rows: chunk, rowCount: chunk.length, byteCount } as const;
    chunk = [];
    byteCount = 0;
    await out.write(full);
  };
  for await (const row of rows) {
    chunk.push(row);
    for (const cell of row) byteCount += (cell?.length ?? 0) + 1;
    if (byteCount >= out.chunkBytes) await send();
  }
  if (chunk.length > 0) await send();
  return stats;
}
