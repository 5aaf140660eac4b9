import { encodeCopyText } from '@millrace/sdk';
import type { Column } from '@millrace/sdk';
import { describe, expect, test } from '@jest/globals';
import type { Client } from 'pg';
import { ChunkRows } from './chunk-rows.js';
import { CopyOut } from './copy-out.js';
import { logicalTypeOf } from './column-type.js';
import { openSession, query } from './session.js';
import { SuspectQuery } from './suspect-query.js';
import { openWorld } from './testing/world.js';

const TYPES = {
  id: 'integer',
  code: 'character(4)',
  name: 'text',
  tags: 'text[]',
  price: 'numeric(10,2)',
  day: 'date',
};
const COLUMNS = Object.entries(TYPES).map(([name, nativeType]): Column => ({
  name,
  nativeType,
  type: logicalTypeOf(nativeType),
  nullable: true,
}));
const TABLE = `CREATE TABLE t (id integer PRIMARY KEY, code character(4) UNIQUE, name text UNIQUE, tags text[],
  price numeric(10,2) CHECK (price >= 0), day date, CHECK (name <> 'not "this"'), CHECK (cardinality(tags) < 3))`;
const THERE = String.raw`INSERT INTO t VALUES (1000, 'ab', E'a "quoted" \\ one\tand\n\b\f\r\vmore, {x}', NULL, 1, NULL)`;
const QUOTED = 'a "quoted" \\ one\tand\n\b\f\r\vmore, {x}';
/** What is wrong with a row, and its cells. */
const ROWS: readonly (readonly [string, readonly (string | null)[]])[] = [
  ['nothing', ['1', null, null, null, null, null]],
  ['id is taken', ['1000', 'x1', 'n1', '{}', '0.00', '2026-01-01']],
  ['nothing', ['2', 'x2', '', '{a}', '0.01', '-infinity']],
  ['code is taken', ['3', 'ab  ', 'n3', null, '1', null]],
  ['name is taken', ['4', 'x4', QUOTED, null, '1', null]],
  ['nothing', ['5', 'x5', 'a "quoted" one', null, '1', null]],
  ['name is not to be', ['6', 'x6', 'not "this"', null, '1', null]],
  ['price is below 0', ['7', 'x7', 'NULL', null, '-0.01', null]],
  ['nothing', ['8', 'x8', '\\N', null, null, null]],
  ['name of a row before', ['9', 'x9', 'NULL', null, '2', null]],
  ['nothing', ['10', 'x10', 'a,b', '{a,b}', '3', null]],
];
const WRONG = ROWS.flatMap(([what], no) => (what === 'nothing' ? [] : [no]));
const KEYS = [[0], [1], [2]];

async function rowsAs(format: 'text' | 'binary', client: Client): Promise<ChunkRows> {
  const lines = encodeCopyText(ROWS.map(([, cells]) => cells));
  if (format === 'text') return ChunkRows.of('text', lines);
  const records = ROWS.map(
    ([, cells], no) =>
      `(${[no, ...cells.map((cell) => (cell === null ? 'NULL' : `'${cell.replaceAll("'", "''")}'`))].join(', ')})`,
  );
  const casts = Object.entries(TYPES).map(([name, type]) => `${name}::${type}`);
  const parts: Buffer[] = [];
  const copy = new CopyOut(
    `SELECT ${casts.join(', ')} FROM (VALUES ${records.join(', ')}) AS v (no, ${Object.keys(TYPES).join(', ')}) ORDER BY no`,
    'binary',
    64 * 1024,
    (part) => {
      parts.push(Buffer.from(part));
      return Promise.resolve();
    },
  );
  await client.query(copy).done;
  return ChunkRows.of('binary', Buffer.concat(parts));
}

async function inWorld(work: (client: Client) => Promise<void>): Promise<void> {
  await using world = await openWorld(`${TABLE}; ${THERE}`);
  await using session = await openSession(world.dataSource.config, 'data', 'suspects');
  await query(session.client, 'BEGIN');
  await work(session.client);
  await query(session.client, 'ROLLBACK');
}

function targetOf(client: Client) {
  return { client, quotedTable: 't', columns: COLUMNS };
}

describe.each(['text', 'binary'] as const)(
  'the server is asked about rows of COPY %s',
  (format) => {
    test('and names those with a key that is taken or against a CHECK, whatever their values hold', async () => {
      await inWorld(async (client) => {
        const rows = await rowsAs(format, client);
        const suspects = await SuspectQuery.of(targetOf(client), KEYS);
        expect(suspects.isUseful).toBe(false);
        expect(await suspects.question(rows, [], 'all')()).toEqual(WRONG);
        expect(suspects.isUseful).toBe(true);
        expect(await suspects.question(rows, [0], 'useful')()).toEqual([0, ...WRONG]);
      });
    });

    test('and of a rule that finds no more it is not asked again', async () => {
      await inWorld(async (client) => {
        const rows = await rowsAs(format, client);
        const suspects = await SuspectQuery.of(targetOf(client), KEYS);
        await suspects.question(rows, [], 'all')();
        // What is known already is nothing that a rule has found.
        for (let asked = 0; asked < 16; asked++) {
          expect(suspects.isUseful).toBe(true);
          expect(await suspects.question(rows, WRONG, 'useful')()).toEqual(WRONG);
        }
        expect(suspects.isUseful).toBe(false);
      });
    });
  },
);

test('a value that is none of its type ends the question, not the transaction', async () => {
  await inWorld(async (client) => {
    const suspects = await SuspectQuery.of(targetOf(client), KEYS);
    const rows = ChunkRows.of('text', encodeCopyText([['x', null, null, null, null, null]]));
    expect(await suspects.question(rows, [], 'all')()).toEqual([]);
    expect(await query(client, 'SELECT count(*) FROM t')).toEqual([['1']]);
  });
});
