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
const ORDERED =
  'CREATE TABLE ordered (id bigint PRIMARY KEY); INSERT INTO ordered SELECT generate_series(1, 10)';
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
  const names = Object.keys(TYPES).join(', ');
  return await binaryRows(
    client,
    `SELECT ${casts.join(', ')} FROM (VALUES ${records.join(', ')}) AS v (no, ${names}) ORDER BY no`,
  );
}

async function binaryRows(client: Client, select: string): Promise<ChunkRows> {
  const parts: Buffer[] = [];
  const copy = new CopyOut(select, 'binary', { chunkBytes: 64 * 1024 }, (part) => {
    parts.push(Buffer.from(part));
    return Promise.resolve();
  });
  await client.query(copy).done;
  return ChunkRows.of('binary', Buffer.concat(parts));
}

async function inWorld(work: (client: Client) => Promise<void>): Promise<void> {
  await using world = await openWorld(`${TABLE}; ${THERE}; ${ORDERED}`);
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
        expect(await suspects.full(rows, []).ask?.()).toEqual(WRONG);
        expect(suspects.isUseful).toBe(true);
        expect(await suspects.usual(rows, [0]).ask?.()).toEqual([0, ...WRONG]);
      });
    });

    test('and of a rule that finds no more it is not asked again', async () => {
      await inWorld(async (client) => {
        const rows = await rowsAs(format, client);
        const suspects = await SuspectQuery.of(targetOf(client), KEYS);
        await suspects.full(rows, []).ask?.();
        // What is known already is nothing that a rule has found.
        for (let asked = 0; asked < 16; asked++) {
          expect(suspects.isUseful).toBe(true);
          expect(await suspects.usual(rows, WRONG).ask?.()).toEqual(WRONG);
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
    expect(await suspects.full(rows, []).ask?.()).toEqual([]);
    expect(await query(client, 'SELECT count(*) FROM t')).toEqual([['1']]);
  });
});

describe.each(['text', 'binary'] as const)(
  'of rows of COPY %s that come in the order of their key',
  (format) => {
    const ID: Column = {
      name: 'id',
      nativeType: 'bigint',
      type: logicalTypeOf('bigint'),
      nullable: true,
    };
    /** From 1000 on, but for the fifth, of which the table has one, the seventh and the ninth. */
    const ids = Array.from({ length: 100 }, (_, i) => String(1000 + i))
      .with(5, '3')
      .with(7, '-4')
      .with(9, '2000');

    async function open(client: Client) {
      const rows =
        format === 'text'
          ? ChunkRows.of('text', encodeCopyText(ids.map((id) => [id])))
          : await binaryRows(client, `SELECT unnest('{${ids.join(',')}}'::bigint[])`);
      const suspects = await SuspectQuery.of({ client, quotedTable: 'ordered', columns: [ID] }, [
        [0],
      ]);
      expect(await suspects.full(rows, []).ask?.()).toEqual([5]);
      return { rows, suspects };
    }

    test('those that do not are looked up', async () => {
      await inWorld(async (client) => {
        const { rows, suspects } = await open(client);
        expect(rows.ascending(0)).toEqual({ first: 0, last: 9, others: [5, 7, ...range(10, 100)] });
        expect(await suspects.usual(rows, []).ask?.()).toEqual([5]);
      });
    });

    test('and the others too where the table has some between them', async () => {
      await inWorld(async (client) => {
        const { suspects } = await open(client);
        const ordered = ids.with(9, '1009');
        const rows = ChunkRows.of('text', encodeCopyText(ordered.map((id) => [id])));
        expect(rows.ascending(0)).toEqual({ first: 0, last: 99, others: [5, 7] });
        expect(await suspects.usual(rows, []).ask?.()).toEqual([5]);
        await query(client, 'INSERT INTO ordered VALUES (1050), (1099)');
        expect(await suspects.usual(rows, []).ask?.()).toEqual([5, 50, 99]);
        expect(await suspects.usual(rows, [50]).ask?.()).toEqual([5, 50, 99]);
      });
    });
  },
);

test('what a CHECK says of a value is remembered', async () => {
  await inWorld(async (client) => {
    const columns = COLUMNS.filter(({ name }) => name === 'price');
    const suspects = await SuspectQuery.of({ client, quotedTable: 't', columns }, []);
    const rowsOf = (...prices: (string | null)[]) =>
      ChunkRows.of('text', encodeCopyText(prices.map((price) => [price])));
    expect(await suspects.full(rowsOf('1', '-1', null), []).ask?.()).toEqual([1]);
    expect(suspects.usual(rowsOf('-1', null, '1', '1', '-1'), [])).toEqual({ suspects: [0, 4] });
    const news = suspects.usual(rowsOf('1', '-2'), [0]);
    expect(news.suspects).toEqual([0]);
    expect(await news.ask?.()).toEqual([0, 1]);
    expect(suspects.usual(rowsOf('-2'), [])).toEqual({ suspects: [0] });
    // As many values as that are not worth a place.
    const many = rowsOf(...Array.from({ length: 1_100 }, (_, i) => String(i - 1)));
    expect(await suspects.usual(many, []).ask?.()).toEqual([0]);
    expect(suspects.usual(rowsOf('1'), []).ask).toBeDefined();
  });
});

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
