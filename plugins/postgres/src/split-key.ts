import { piecesBySize } from '@millrace/sdk';
import type { Column, KeyDialect, KeyValue, SliceHint } from '@millrace/sdk';
import type { Client } from 'pg';
import { quoteLiteral, quoteName } from './quoting.js';
import type { ReaderSource } from './reader-source.js';
import { selectOf } from './reader-source.js';
import { query } from './session.js';
import { resolveColumn } from './table-catalog.js';

/** A key of one or more columns, or the place of a row in its table. */
export interface SplitKey extends KeyDialect {
  readonly columns: readonly { readonly sql: string; readonly type: string }[];
}

/** The first version that reads a range of places without looking at all others. */
const TID_RANGE_VERSION = 140_000;
const MOST_SLICES = 4096;
const ROWS_PER_SLICE = 200;
const SAMPLED_PER_SLICE = 100;
/** Rows of one page are neighbours, and of few pages the boundaries would be anywhere. */
const PAGES_PER_SLICE = 30;
const PAGE_BYTES = 8192;

/**
 * The key a source is cut by: the columns the user names, else the place of the rows, else the primary
 * key. Places need a common snapshot: without one an update moves a row from slice to slice.
 */
export async function splitKeyOf(
  client: Client,
  source: ReaderSource,
  wanted: readonly string[],
  isPinned: boolean,
): Promise<SplitKey | undefined> {
  const keyOf = (names: readonly string[]): SplitKey =>
    columnKey(names.map((name) => resolveColumn(name, source.full)));
  if (wanted.length > 0) return keyOf(wanted);
  if (isPinned && (await hasPlaces(client, source))) return placeKey();
  return source.full.primaryKey.length > 0 ? keyOf(source.full.primaryKey) : undefined;
}

/**
 * Boundaries that leave about the same number of rows between them: quantiles of a sample that the server
 * draws and puts in order. A share of the rows, not of the key's range, so that gaps and crowds in the key
 * do not matter.
 */
export async function boundariesOf(
  client: Client,
  source: ReaderSource,
  key: SplitKey,
  hint: SliceHint,
): Promise<readonly KeyValue[]> {
  const all = await estimate(client, { ...source, filter: '1 = 1' });
  const filtered = await estimate(client, source);
  const bySize = piecesBySize(filtered, hint);
  const count = Math.min(
    Math.max(hint.count, bySize),
    MOST_SLICES,
    Math.ceil(all.rows / ROWS_PER_SLICE),
  );
  if (count <= 1) return [];
  for (let more = 1; ; more *= 16) {
    const pages = Math.min(1, (more * count * PAGES_PER_SLICE * PAGE_BYTES) / all.bytes);
    const rows = Math.min(1, (more * count * SAMPLED_PER_SLICE) / filtered.rows / pages);
    const boundaries = await quantiles(client, source, key, count, { pages, rows });
    // An estimate may be far off: a thin sample is drawn again.
    if ((pages === 1 && rows === 1) || boundaries.length >= count - 1) return boundaries;
  }
}

/** `share.pages` of the pages are looked at, and of their rows `share.rows`; both are at most 1. */
async function quantiles(
  client: Client,
  source: ReaderSource,
  key: SplitKey,
  count: number,
  share: { readonly pages: number; readonly rows: number },
): Promise<readonly KeyValue[]> {
  const isSampled = share.pages < 1 && (await isTable(client, source));
  const rowShare = isSampled ? share.rows : share.rows * share.pages;
  const from = isSampled ? `${source.from} TABLESAMPLE SYSTEM (${share.pages * 100})` : source.from;
  const thinned = rowShare < 1 ? ` AND random() < ${rowShare}` : '';
  const list = key.columns.map(({ sql }, i) => `(${sql})::text AS t${i}`);
  const order = key.columns.map(({ sql }) => sql).join(', ');
  const found = await query(
    client,
    `SELECT ${key.columns.map((_, i) => `t${i}`).join(', ')} FROM (
       SELECT ${list.join(', ')}, row_number() OVER (ORDER BY ${order}) AS n, count(*) OVER () AS total
         FROM ${from} WHERE NOT (${key.isNull}) AND ${source.filter}${thinned}) AS sample
      WHERE n > 1 AND (n - 1) * ${count} / total > (n - 2) * ${count} / total ORDER BY n`,
  );
  return found.map((row) => row.map((text) => text ?? ''));
}

async function estimate(
  client: Client,
  source: ReaderSource,
): Promise<{ readonly rows: number; readonly bytes: number }> {
  const sql = selectOf(source, source.schema.columns, '1 = 1');
  const [line] = await query(client, `EXPLAIN ${sql}`);
  const [, rows = '1', width = '1'] = /rows=(\d+) width=(\d+)/.exec(line?.[0] ?? '') ?? [];
  return { rows: Math.max(1, Number(rows)), bytes: Math.max(1, Number(rows) * Number(width)) };
}

async function isTable(client: Client, { table }: ReaderSource): Promise<boolean> {
  if (table === undefined) return false;
  const sql = `SELECT 1 FROM pg_class WHERE oid = $1::regclass AND relkind IN ('r', 'p', 'm')`;
  return (await query(client, sql, [table])).length > 0;
}

/** Every part of the table lies in a heap of this server, where a row has one place in a snapshot. */
async function hasPlaces(client: Client, { table }: ReaderSource): Promise<boolean> {
  if (table === undefined) return false;
  const [row] = await query(
    client,
    `WITH RECURSIVE tree AS (
       SELECT $1::regclass::oid AS oid
       UNION SELECT i.inhrelid FROM pg_inherits i JOIN tree ON i.inhparent = tree.oid)
     SELECT (bool_and(c.relkind = 'p' OR (c.relkind IN ('r', 'm') AND a.amname = 'heap'))
             AND current_setting('server_version_num')::int >= ${TID_RANGE_VERSION})::text
       FROM tree JOIN pg_class c ON c.oid = tree.oid LEFT JOIN pg_am a ON a.oid = c.relam`,
    [table],
  );
  return row?.[0] === 'true';
}

function placeKey(): SplitKey {
  return {
    names: ['ctid'],
    columns: [{ sql: 'ctid', type: 'tid' }],
    isNullable: false,
    isNull: 'false',
    compare: (operator, [value = '']) => `ctid ${operator} ${quoteLiteral(value)}::tid`,
  };
}

function columnKey(columns: readonly Column[]): SplitKey {
  const typed = columns.map((c) => ({ sql: quoteName(c.name), type: c.nativeType }));
  const left = `(${typed.map(({ sql }) => sql).join(', ')})`;
  return {
    names: columns.map((c) => c.name),
    columns: typed,
    isNullable: columns.some((c) => c.nullable),
    isNull: typed.map(({ sql }) => `${sql} IS NULL`).join(' OR '),
    compare: (operator, value) => {
      const right = typed.map(({ type }, i) => `${quoteLiteral(value[i] ?? '')}::${type}`);
      return `${left} ${operator} (${right.join(', ')})`;
    },
  };
}
