import { StringDecoder } from 'node:string_decoder';

import { leftOutBytes, LOG_HEAD_BYTES } from '../../domain/log/left-out.js';
import type { InstanceKey } from './instance-repository.js';
import {
  bytesFromLine,
  cursorAtLine,
  isAttemptOver,
  type LogSource,
  logSize,
  readLog,
} from './log-repository.js';

/** A window of a run log. */
export interface LogLines {
  /** Number of the first line in `lines`, from 0. */
  readonly firstLine: number;
  /** As the run wrote them, with escape sequences and carriage returns. */
  readonly lines: readonly string[];
  /** Lines of `lines` that are longer than what is given of them. */
  readonly cut: readonly { readonly line: number; readonly length: number }[];
  /** The last line counts, also while it is being written. */
  readonly totalLines: number;
  readonly totalBytes: number;
  /** No more lines will come. */
  readonly isOver: boolean;
  /** Where the middle of a log that was too long is missing. */
  readonly truncated: { readonly line: number; readonly bytes: number } | null;
}

type Extent = Awaited<ReturnType<typeof logSize>>;

const FIRST_READ = 4;
const CHUNKS_PER_READ = 32;
/** What a browser can show as one line, and what one answer may have: 4 M characters. */
const MAX_LINE = 65_536;
const MAX_ANSWER = 4 * 1024 * 1024;

/**
 * Reads at most `count` lines from line `from` on; a negative `from` counts from the end. Fewer come when
 * the log ends or the lines are long: at least one, unless `from` is behind the end.
 */
export async function readLogLines(
  source: LogSource,
  key: InstanceKey,
  epoch: number,
  window: { readonly from: number; readonly count: number },
): Promise<LogLines> {
  // Asked first: chunks that came before the end are then in what is read.
  const isOver = await isAttemptOver(source.database, key, epoch);
  const extent = await extentOf(source, key, epoch);
  const firstLine =
    window.from >= 0
      ? Math.min(window.from, extent.lines)
      : Math.max(0, extent.lines + window.from);
  const count = Math.min(window.count, extent.lines - firstLine);
  const lines = await linesFrom(source, key, epoch, { from: firstLine, count });
  return {
    firstLine,
    lines: lines.map((line) => line.slice(0, MAX_LINE)),
    cut: lines.flatMap(({ length }, i) =>
      length > MAX_LINE ? [{ line: firstLine + i, length }] : [],
    ),
    totalLines: extent.lines,
    totalBytes: extent.bytes,
    isOver,
    truncated: await truncatedAt(source, key, epoch, extent),
  };
}

async function extentOf(source: LogSource, key: InstanceKey, epoch: number): Promise<Extent> {
  const size = await logSize(source.database, key, epoch);
  if (size.bytes === 0) return size;
  // The index counts ends of lines; only the text says whether something stands behind the last one.
  const before = { no: size.lastNo - 1, lines: 0 };
  const { chunks } = await readLog(source, key, epoch, before, 1);
  const hasOpenLine = chunks[0]?.bytes.at(-1) !== NEWLINE;
  return { ...size, lines: size.lines + (hasOpenLine ? 1 : 0) };
}

const NEWLINE = 10;

async function linesFrom(
  source: LogSource,
  key: InstanceKey,
  epoch: number,
  { from, count }: { readonly from: number; readonly count: number },
): Promise<string[]> {
  if (count <= 0) return [];
  const lines: string[] = [];
  const decoder = new StringDecoder('utf8');
  let cursor = await cursorAtLine(source.database, key, epoch, from);
  let rest = '';
  let length = 0;
  for (let limit = FIRST_READ; ; limit = Math.min(limit * 2, CHUNKS_PER_READ)) {
    const read = await readLog(source, key, epoch, cursor, limit);
    cursor = read.cursor;
    for (const chunk of read.chunks) {
      const pieces = decoder.write(bytesFromLine(chunk, from)).split('\n');
      pieces[0] = rest + (pieces[0] ?? '');
      rest = pieces.pop() ?? '';
      for (const piece of pieces) {
        lines.push(piece);
        length += Math.min(piece.length, MAX_LINE);
        if (lines.length === count || length > MAX_ANSWER) return lines;
      }
    }
    if (read.chunks.length === 0) return [...lines, rest + decoder.end()];
  }
}

/** The shipper fills the head first, so the words about what is missing are right behind it. */
async function truncatedAt(
  source: LogSource,
  key: InstanceKey,
  epoch: number,
  extent: Extent,
): Promise<LogLines['truncated']> {
  if (extent.bytes <= LOG_HEAD_BYTES) return null;
  const [cursor] = await source.database.rows<{ no: number; lines: number }>(
    `SELECT no - 1 AS no, (lines - line_count)::int AS lines FROM (
       SELECT no, line_count, sum(line_count) OVER w AS lines, sum(byte_count) OVER w AS bytes
         FROM log_chunk WHERE plan_day = $1 AND instance_id = $2 AND epoch = $3
       WINDOW w AS (ORDER BY no)) AS running
      WHERE bytes >= $4 ORDER BY no LIMIT 1`,
    [key.planDay, key.id, epoch, LOG_HEAD_BYTES],
  );
  if (cursor === undefined) return null;
  const { chunks } = await readLog(source, key, epoch, cursor, FIRST_READ);
  const lines = Buffer.concat(chunks.map((chunk) => chunk.bytes))
    .toString()
    .split('\n');
  for (const [i, text] of lines.entries()) {
    const bytes = leftOutBytes(text);
    if (bytes !== undefined) return { line: cursor.lines + i, bytes };
  }
  return null;
}
