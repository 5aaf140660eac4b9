import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

import { isGzip } from '../../domain/log/is-gzip.js';
import type { Sql } from '../database.js';
import { type LogStore, logKeyOf } from '../log-store.js';
import type { InstanceKey } from './instance-repository.js';

/** Where run logs are read from. */
export interface LogSource {
  readonly database: Sql;
  /** Absent: all bodies are rows. */
  readonly logStore?: LogStore;
}

const unzip = promisify(gunzip);
const CHUNKS_PER_READ = 32;
const MAX_NO = 2_147_483_647;

/**
 * A piece of a run log: bytes, because a chunk may end within a character. A line that a chunk cuts goes
 * on in the next one.
 */
export interface LogChunk {
  /** Counts up within one attempt, without gaps. */
  readonly no: number;
  /** The number of its first (perhaps continued) line, from 0. */
  readonly firstLine: number;
  readonly bytes: Buffer;
}

/** A chunk as it is kept. */
export interface StoredChunk {
  readonly no: number;
  /** Ends of lines in it. */
  readonly lineCount: number;
  /** Of the uncompressed text. */
  readonly byteCount: number;
  /** gzip, or plain as `isGzip` tells; `undefined` when its object is gone. */
  readonly body: Buffer | undefined;
}

/** Where a reader of one attempt's log stands: the last chunk it has, and the lines before the next. */
export interface LogCursor {
  readonly no: number;
  readonly lines: number;
}

export const LOG_START: LogCursor = { no: -1, lines: 0 };

/** The epoch whose log is shown by default: the latest that wrote one, or that was claimed. */
export async function latestEpoch(
  sql: Sql,
  { planDay, id }: InstanceKey,
): Promise<number | undefined> {
  const rows = await sql.rows<{ epoch: number | null }>(
    'SELECT max(epoch) AS epoch FROM attempt WHERE plan_day = $1 AND instance_id = $2',
    [planDay, id],
  );
  return rows[0]?.epoch ?? undefined;
}

/** Whether the attempt can still write: its log ends when it does. */
export async function isAttemptOver(sql: Sql, key: InstanceKey, epoch: number): Promise<boolean> {
  const rows = await sql.rows<{ over: boolean }>(
    `SELECT state NOT IN ('dispatched', 'running') AS over FROM attempt
      WHERE plan_day = $1 AND instance_id = $2 AND epoch = $3`,
    [key.planDay, key.id, epoch],
  );
  return rows[0]?.over ?? true;
}

/** How many ends of lines and bytes the log has, and the number of its last chunk (-1: it is empty). */
export async function logSize(
  sql: Sql,
  key: InstanceKey,
  epoch: number,
): Promise<{ readonly lastNo: number; readonly lines: number; readonly bytes: number }> {
  const rows = await sql.rows<{ lastNo: number; lines: number; bytes: number }>(
    `SELECT coalesce(max(no), -1) AS "lastNo", coalesce(sum(line_count), 0)::int AS lines,
            coalesce(sum(byte_count), 0)::float8 AS bytes
       FROM log_chunk WHERE plan_day = $1 AND instance_id = $2 AND epoch = $3`,
    [key.planDay, key.id, epoch],
  );
  return rows[0] ?? { lastNo: -1, lines: 0, bytes: 0 };
}

/** The cursor of the chunk that holds line `line` (from 0), or of the end of the log. */
export async function cursorAtLine(
  sql: Sql,
  key: InstanceKey,
  epoch: number,
  line: number,
): Promise<LogCursor> {
  if (line <= 0) return LOG_START;
  const rows = await sql.rows<LogCursor>(
    `SELECT no, lines::int FROM (
       SELECT no, sum(line_count) OVER (ORDER BY no) AS lines FROM log_chunk
        WHERE plan_day = $1 AND instance_id = $2 AND epoch = $3) AS running
      WHERE lines < $4 ORDER BY no DESC LIMIT 1`,
    [key.planDay, key.id, epoch, line],
  );
  return rows[0] ?? LOG_START;
}

/** The next chunks after `cursor`, at most `limit` (of 64 KB of text each), and where the reader stands then. */
export async function readLog(
  source: LogSource,
  key: InstanceKey,
  epoch: number,
  cursor: LogCursor,
  limit = CHUNKS_PER_READ,
): Promise<{ readonly chunks: readonly LogChunk[]; readonly cursor: LogCursor }> {
  const stored = await readStoredChunks(source, key, epoch, { after: cursor.no, limit });
  const texts = await Promise.all(stored.map(unzipped));
  const chunks: LogChunk[] = [];
  let at = cursor;
  for (const [i, { no, lineCount }] of stored.entries()) {
    chunks.push({ no, firstLine: at.lines, bytes: texts[i] ?? Buffer.alloc(0) });
    at = { no, lines: at.lines + lineCount };
  }
  return { chunks, cursor: at };
}

/** The text of a chunk. Where it is lost, words with as many lines: the numbers of all others stay. */
export async function unzipped({ body, byteCount, lineCount }: StoredChunk): Promise<Buffer> {
  if (body === undefined) return missingPart(lineCount);
  if (!isGzip(body)) {
    if (body.length === byteCount) return body;
    throw new Error(`a chunk of ${byteCount} bytes of a run log has ${body.length}`);
  }
  // One piece of output: zlib's own 16 KB would be four calls for each chunk.
  return await unzip(body, { chunkSize: Math.max(MIN_ZLIB_CHUNK, byteCount + 1) });
}

const MIN_ZLIB_CHUNK = 64;

function missingPart(lineCount: number): Buffer {
  const text = '… this part of the log is missing in the log store …';
  return Buffer.from(text + '\n'.repeat(lineCount));
}

/** What is known of a chunk without its text. */
export interface ChunkMark {
  readonly no: number;
  /** Ends of lines in it. */
  readonly lineCount: number;
  /** False: it has no line with what is looked for. */
  readonly mayHold: boolean;
}

/** Which chunks may hold a text with these `bits` (`gramBitsOf`), in their order. */
export async function readChunkMarks(
  sql: Sql,
  key: InstanceKey,
  epoch: number,
  bits: readonly number[],
): Promise<ChunkMark[]> {
  return await sql.rows<ChunkMark>(
    `SELECT no, line_count AS "lineCount",
            grams IS NULL OR NOT EXISTS (
              SELECT FROM unnest($4::int[]) AS bit WHERE get_bit(grams, bit) = 0) AS "mayHold"
       FROM log_chunk WHERE plan_day = $1 AND instance_id = $2 AND epoch = $3 ORDER BY no`,
    [key.planDay, key.id, epoch, bits],
  );
}

interface ChunkRow {
  readonly no: number;
  readonly lineCount: number;
  readonly byteCount: number;
  readonly body: Buffer | null;
  readonly offset: number | null;
  readonly length: number | null;
}

/** The next `limit` chunks after the number `after` and up to `until`, still compressed. */
export async function readStoredChunks(
  source: LogSource,
  key: InstanceKey,
  epoch: number,
  range: { readonly after: number; readonly limit: number; readonly until?: number },
): Promise<StoredChunk[]> {
  const rows = await source.database.rows<ChunkRow>(
    `SELECT no, line_count AS "lineCount", byte_count AS "byteCount", body, object_offset AS "offset",
            object_length AS "length"
       FROM log_chunk
      WHERE plan_day = $1 AND instance_id = $2 AND epoch = $3 AND no > $4
        AND no <= $6
      ORDER BY no LIMIT $5`,
    [key.planDay, key.id, epoch, range.after, range.limit, range.until ?? MAX_NO],
  );
  const object = await objectPart(source, logKeyOf(key.planDay, key.id, epoch), rows);
  return rows.map(({ no, lineCount, byteCount, body, offset, length }) => ({
    no,
    lineCount,
    byteCount,
    body: body ?? object(offset ?? 0, length ?? 0),
  }));
}

/** Reads what the rows need of their object at once: an open and a read for each chunk cost more than all else. */
async function objectPart(
  { logStore }: LogSource,
  logKey: string,
  rows: readonly ChunkRow[],
): Promise<(offset: number, length: number) => Buffer | undefined> {
  const moved = rows.filter((row) => row.body === null);
  const start = Math.min(...moved.map((row) => row.offset ?? 0));
  const end = Math.max(...moved.map((row) => (row.offset ?? 0) + (row.length ?? 0)));
  const bytes = moved.length === 0 ? undefined : await logStore?.read(logKey, start, end - start);
  return (offset, length) => {
    const part = bytes?.subarray(offset - start, offset - start + length);
    // The rest of the log is still worth reading.
    return part?.length === length ? part : undefined;
  };
}

/** The bytes from line `line` on, within a chunk that begins at or before it. */
export function bytesFromLine(chunk: LogChunk, line: number): Buffer {
  let at = 0;
  for (let skipped = chunk.firstLine; skipped < line; skipped++) {
    const end = chunk.bytes.indexOf(NEWLINE, at);
    if (end === -1) return chunk.bytes.subarray(chunk.bytes.length);
    at = end + 1;
  }
  return chunk.bytes.subarray(at);
}

const NEWLINE = 10;
