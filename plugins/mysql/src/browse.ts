import type { BrowseAnswer, BrowseRequest, Column, InteractiveContext } from '@millrace/sdk';

import { cancelOnAbort } from './cancel-on-abort.js';
import { cellDecoderOf } from './cell-decoder.js';
import type { MysqlConfig } from './config.js';
import { textLiteral } from './literal.js';
import { resolveSource } from './reader-source.js';
import { Session } from './session.js';
import { readTable, resolveTable } from './table-catalog.js';

/** A preview needs no more of a cell than fits a screen. */
const MOST_CELL_CHARS = 1_000;

export async function browseMysql(
  config: MysqlConfig,
  request: BrowseRequest,
  ctx: InteractiveContext,
): Promise<BrowseAnswer> {
  await using session = await Session.open(config, { signal: ctx.signal });
  await using _cancel = cancelOnAbort(session, config, ctx.signal);
  switch (request.kind) {
    case 'schemas':
      return { kind: 'schemas', schemas: await schemasOf(session) };
    case 'tables':
      return { kind: 'tables', tables: await tablesOf(session, config, request) };
    case 'table': {
      const database = request.schema ?? config.database;
      const name = await resolveTable(session, database, request.table, () => undefined);
      return { kind: 'table', schema: (await readTable(session, name)).schema };
    }
    case 'sample':
      return await sampleOf(session, config, request);
  }
}

async function schemasOf(session: Session): Promise<readonly string[]> {
  const rows = await session.rows(
    `SELECT SCHEMA_NAME FROM information_schema.SCHEMATA
      WHERE SCHEMA_NAME NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')
      ORDER BY SCHEMA_NAME`,
  );
  return rows.map(([name]) => name ?? '');
}

async function tablesOf(
  session: Session,
  config: MysqlConfig,
  request: Extract<BrowseRequest, { kind: 'tables' }>,
): Promise<readonly { name: string; rows?: number }[]> {
  const like =
    request.like === undefined
      ? ''
      : `AND LOWER(TABLE_NAME) LIKE LOWER(${textLiteral(`%${request.like.replaceAll(/[\\%_]/g, '\\$&')}%`)})`;
  const rows = await session.rows(
    `SELECT TABLE_NAME, TABLE_ROWS FROM information_schema.TABLES
      WHERE TABLE_SCHEMA = ${textLiteral(request.schema ?? config.database)} ${like}
      ORDER BY TABLE_NAME LIMIT ${Math.max(1, Math.trunc(request.limit))}`,
  );
  return rows.map(([name, count]) => ({
    name: name ?? '',
    ...(typeof count === 'string' ? { rows: Number(count) } : {}),
  }));
}

async function sampleOf(
  session: Session,
  config: MysqlConfig,
  request: Extract<BrowseRequest, { kind: 'sample' }>,
): Promise<BrowseAnswer> {
  await session.run("SET SESSION time_zone = '+00:00', sql_mode = ''");
  const database = request.schema ?? config.database;
  const source = await resolveSource(session, database, { table: request.table }, () => undefined);
  const columns = source.schema.columns;
  const decoders = columns.map(previewOf);
  const rows: (string | null)[][] = [];
  let row: (string | null)[] = [];
  await session.stream(
    `${source.select} LIMIT ${Math.max(1, Math.trunc(request.limit))}`,
    () => undefined,
    (raw) => row.push(decoders[row.length]?.(raw) ?? null),
    () => {
      rows.push(row);
      row = [];
      return undefined;
    },
  );
  return { kind: 'sample', columns: columns.map((c) => c.name), rows };
}

function previewOf(column: Column): (raw: Buffer | null) => string | null {
  const decode = cellDecoderOf(column);
  return (raw) => {
    const cell = decode(raw);
    if (cell === null) return null;
    const text =
      typeof cell === 'string'
        ? cell
        : `0x${Buffer.from(cell.subarray(0, MOST_CELL_CHARS / 2)).toString('hex')}`;
    return text.length > MOST_CELL_CHARS ? `${text.slice(0, MOST_CELL_CHARS)}…` : text;
  };
}
