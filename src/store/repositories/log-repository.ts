import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

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

/** A piece of a run log. A line that a chunk cuts goes on in the next one. */
export interface LogChunk {
  /** Counts up within one attempt, without gaps. */
  readonly no: number;
  /** The number of its first (perhaps continued) line, from 0. */
  readonly firstLine: number;
  readonly text: string;
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

/** The next chunks after `cursor`, at most 2 MB of text at a time, and where the reader stands then. */
export async function readLog(
  source: LogSource,
  key: InstanceKey,
  epoch: number,
  cursor: LogCursor,
): Promise<{ readonly chunks: readonly LogChunk[]; readonly cursor: LogCursor }> {
  const rows = await source.database.rows<ChunkRow>(
    `SELECT no, line_count AS "lineCount", body, object_offset AS "offset", object_length AS "length"
       FROM log_chunk
      WHERE plan_day = $1 AND instance_id = $2 AND epoch = $3 AND no > $4
      ORDER BY no LIMIT ${CHUNKS_PER_READ}`,
    [key.planDay, key.id, epoch, cursor.no],
  );
  const chunks: LogChunk[] = [];
  let at = cursor;
  for (const row of rows) {
    chunks.push({ no: row.no, firstLine: at.lines, text: await textOf(source, key, epoch, row) });
    at = { no: row.no, lines: at.lines + row.lineCount };
  }
  return { chunks, cursor: at };
}

interface ChunkRow {
  readonly no: number;
  readonly lineCount: number;
  readonly body: Buffer | null;
  readonly offset: number | null;
  readonly length: number | null;
}

async function textOf(
  source: LogSource,
  key: InstanceKey,
  epoch: number,
  row: ChunkRow,
): Promise<string> {
  const body =
    row.body ??
    (await source.logStore?.read(
      logKeyOf(key.planDay, key.id, epoch),
      row.offset ?? 0,
      row.length ?? 0,
    ));
  // The rest of the log is still worth reading.
  if (body === undefined) return '… this part of the log is missing in the log store …\n';
  return (await unzip(body)).toString('utf8');
}

/** The text from line `line` on, within a chunk that begins at or before it. */
export function textFromLine(chunk: LogChunk, line: number): string {
  let at = 0;
  for (let skipped = chunk.firstLine; skipped < line; skipped++) {
    const end = chunk.text.indexOf('\n', at);
    if (end === -1) return '';
    at = end + 1;
  }
  return chunk.text.slice(at);
}
