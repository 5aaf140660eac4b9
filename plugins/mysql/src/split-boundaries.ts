import { evenBoundaries, piecesBySize } from '@millrace/sdk';
import type { KeyValue, SliceHint } from '@millrace/sdk';

import { textLiteral } from './literal.js';
import type { ReaderSource } from './reader-source.js';
import type { Session } from './session.js';
import type { SplitKey } from './split-key.js';

const MOST_SLICES = 4096;
const ROWS_PER_SLICE = 200;
/** Without an index each slice reads everything: no more than this may be read that often. */
const MOST_UNINDEXED_ROWS = 100_000;
/** EXPLAIN has two columns more on MySQL, one of them before the rows. */
const MYSQL_EXPLAIN_COLUMNS = 12;

/**
 * Boundaries that leave about the same number of rows between them. Of an integer key the server's own
 * estimates for ranges of its index are asked, a page or two each; of any other its index is walked once.
 */
export async function boundariesOf(
  session: Session,
  source: ReaderSource,
  key: SplitKey,
  hint: SliceHint,
): Promise<readonly KeyValue[]> {
  const rows = await rowsOf(session, source, undefined, '1 = 1');
  const bytes = await bytesOf(session, source);
  // Estimates of queries and views say nothing.
  const isKnown = source.engine !== undefined;
  const byRows = isKnown ? Math.ceil(rows / ROWS_PER_SLICE) : MOST_SLICES;
  const bySize = piecesBySize({ rows: isKnown ? rows : 0, bytes }, hint);
  const count = Math.min(Math.max(hint.count, bySize), MOST_SLICES, byRows);
  if (count <= 1) return [];
  const [part, ...others] = key.parts;
  if (part?.isInteger === true && others.length === 0) {
    const isCostly = key.index === undefined && rows > MOST_UNINDEXED_ROWS;
    return isCostly ? [] : await ofInteger(session, source, key, count);
  }
  return key.index === undefined ? [] : await walked(session, source, key, count, rows);
}

/** Halves the range with the most rows until there are enough; skewed keys get their bounds where they are. */
async function ofInteger(
  session: Session,
  source: ReaderSource,
  key: SplitKey,
  count: number,
): Promise<readonly KeyValue[]> {
  const name = key.parts[0]?.sql ?? '';
  const [range] = await session.rows(`SELECT MIN(${name}), MAX(${name}) ${source.from}`);
  const [min, max] = [range?.[0] ?? null, range?.[1] ?? null];
  if (min === null || max === null) return [];
  if (key.index === undefined) return evenBoundaries(min, max, count);
  const sized = async (from: string, to: string): Promise<Range> => {
    const where = `${name} >= ${from} AND ${name} <= ${to}`;
    return {
      from,
      to,
      rows: await rowsOf(session, source, { column: name, index: key.index ?? '' }, where),
    };
  };
  const ranges = [await sized(min, max)];
  while (ranges.length < count) {
    const most = Math.max(...ranges.map((each) => each.rows));
    const at = ranges.findIndex((each) => each.rows === most && each.from !== each.to);
    const whole = ranges[at];
    const [middle] = whole === undefined ? [] : evenBoundaries(whole.from, whole.to, 2);
    if (whole === undefined || middle?.[0] === undefined || most < ROWS_PER_SLICE) break;
    const before = String(BigInt(middle[0]) - 1n);
    ranges.splice(at, 1, await sized(whole.from, before), await sized(middle[0], whole.to));
  }
  return ranges.slice(1).map((each) => [each.from]);
}

interface Range {
  readonly from: string;
  readonly to: string;
  readonly rows: number;
}

async function walked(
  session: Session,
  source: ReaderSource,
  key: SplitKey,
  count: number,
  rows: number,
): Promise<readonly KeyValue[]> {
  const list = key.parts.map((part) => part.text).join(', ');
  const order = key.parts.map((part) => part.sql).join(', ');
  const from = `FROM ${source.table ?? ''} FORCE INDEX (${key.index ?? ''}) WHERE ${source.filter}`;
  const next = async (condition: string, offset: number): Promise<KeyValue | undefined> => {
    const [row] = await session.rows(
      `SELECT ${list} ${from} AND NOT (${key.isNull}) AND ${condition} ORDER BY ${order} LIMIT 1 OFFSET ${offset}`,
    );
    return row?.map((text) => text ?? '');
  };
  const boundaries: KeyValue[] = [];
  let step = Math.max(1, Math.ceil(rows / count));
  for (let value = await next('1 = 1', step); value !== undefined;) {
    boundaries.push(value);
    // The estimate was too low: the rest is cut less and less finely.
    if (boundaries.length % count === 0) step *= 2;
    const found = await next(key.compare('>=', value), step);
    const isSame = JSON.stringify(found) === JSON.stringify(value);
    value = isSame ? await next(key.after(value), 0) : found;
  }
  return boundaries;
}

/**
 * The server's estimate for a condition. USE INDEX and a column of the index lead it to the range; with
 * FORCE INDEX, MySQL 8 saves itself the look into the index and says nothing.
 */
async function rowsOf(
  session: Session,
  source: ReaderSource,
  by: { readonly column: string; readonly index: string } | undefined,
  where: string,
): Promise<number> {
  const from =
    source.table === undefined
      ? source.from
      : `FROM ${source.table} ${by === undefined ? '' : `USE INDEX (${by.index})`} WHERE 1 = 1`;
  const [row] = await session.rows(
    `EXPLAIN FORMAT=TRADITIONAL SELECT ${by?.column ?? '*'} ${from} AND ${where}`,
  );
  return Number(row?.[row.length === MYSQL_EXPLAIN_COLUMNS ? 9 : 8] ?? 0);
}

async function bytesOf(session: Session, { table, schema }: ReaderSource): Promise<number> {
  if (table === undefined) return 0;
  const bytes = await session.value(
    `SELECT DATA_LENGTH FROM information_schema.TABLES
      WHERE TABLE_SCHEMA = ${textLiteral(schema.schema ?? '')} AND TABLE_NAME = ${textLiteral(schema.table)}`,
  );
  return Number(bytes ?? 0);
}
