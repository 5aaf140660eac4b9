import type { Sql } from '../database.js';

/** A piece of one attempt's run log, as it travels; `body` is zipped text, `grams` its filter, both base64. */
export interface LogChunkRow {
  readonly planDay: string;
  readonly instanceId: number;
  readonly epoch: number;
  readonly no: number;
  readonly at: string;
  readonly lineCount: number;
  readonly byteCount: number;
  readonly body: string;
  readonly grams?: string | undefined;
}

/** Keeps chunks; one that is there already, because an answer was lost, stays as it is. */
export async function insertLogChunks(sql: Sql, chunks: readonly LogChunkRow[]): Promise<void> {
  if (chunks.length === 0) return;
  await sql.send(
    `INSERT INTO log_chunk (plan_day, instance_id, epoch, no, at, line_count, byte_count, body, grams)
     SELECT c.plan_day, c.instance_id, c.epoch, c.no, c.at, c.line_count, c.byte_count,
            decode(c.body, 'base64'), decode(c.grams, 'base64')
       FROM unnest($1::date[], $2::bigint[], $3::int[], $4::int[], $5::timestamptz[], $6::int[],
            $7::int[], $8::text[], $9::text[])
            AS c(plan_day, instance_id, epoch, no, at, line_count, byte_count, body, grams)
     ON CONFLICT DO NOTHING`,
    [
      chunks.map((chunk) => chunk.planDay),
      chunks.map((chunk) => chunk.instanceId),
      chunks.map((chunk) => chunk.epoch),
      chunks.map((chunk) => chunk.no),
      chunks.map((chunk) => chunk.at),
      chunks.map((chunk) => chunk.lineCount),
      chunks.map((chunk) => chunk.byteCount),
      chunks.map((chunk) => chunk.body),
      chunks.map((chunk) => chunk.grams ?? null),
    ],
  );
}
