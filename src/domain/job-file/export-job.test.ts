import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { exportJob } from './export-job.js';
import type { SyncNodeConfig } from './import-job.js';
import { importJob } from './import-job.js';
import { JOB_DIALECTS } from './job-shape.js';

const name = fc.oneof(
  { weight: 3, arbitrary: fc.stringMatching(/^[a-z_][a-z0-9_]{0,8}$/) },
  fc.string({ minLength: 1, maxLength: 8 }),
  fc.constantFrom('null', '*', 'a b', 't_[0-3]', 'a.b', '"q"', '`q`', '1', "it's", '日本'),
);
const text = fc.oneof(fc.string({ maxLength: 20 }), fc.constantFrom("ds = '${bizdate}'", '@table'));
const filled = text.filter((value) => value !== '');
const some = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

/** A record without the keys that are undefined. */
function defined(shape: Readonly<Record<string, fc.Arbitrary<unknown>>>) {
  return fc
    .record(shape)
    .map((value) => Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)));
}

const cellFunction = fc.constantFrom(
  { function: 'substr', start: 0, length: 4 },
  { function: 'pad', side: 'left', length: 6, fill: '*' },
  { function: 'cast', type: 'date', format: 'yyyyMMdd' },
  { function: 'jsonPath', path: '$.a' },
);
const functions = some(fc.array(cellFunction, { minLength: 1, maxLength: 2 }));
const column = fc.oneof(
  defined({ from: name, to: name, functions }),
  defined({ position: fc.integer({ min: 1, max: 9 }), to: name, functions }),
  defined({ constant: text, to: name, functions }),
);
const names = fc.array(name, { minLength: 1, maxLength: 4 });
const mapping = fc.oneof(
  fc.constant({ by: 'name' }),
  defined({ by: fc.constant('row'), from: some(names), to: some(names) }),
  defined({
    columns: fc.array(column, { minLength: 1, maxLength: 4 }),
    drop: some(fc.constant([{ column: 'a', operator: '>', value: '1' }])),
    transform: some(filled),
  }),
);
const channel = defined({
  concurrency: some(fc.integer({ min: 1, max: 64 })),
  rateLimit: some(
    defined({
      bytesPerSecond: some(fc.integer({ min: 1, max: 2 ** 40 })),
      rowsPerSecond: some(fc.integer({ min: 1, max: 2 ** 40 })),
    }),
  ),
  dirtyLimit: some(
    defined({
      records: some(fc.integer({ min: 0, max: 1e9 })),
      ratio: some(fc.double({ min: 0, max: 1, noNaN: true }).map((r) => r + 0)),
    }),
  ),
});

const replace = fc.oneof(
  fc.record({
    kind: fc.constant('partition'),
    values: fc.dictionary(name, text, { minKeys: 1, maxKeys: 2 }),
  }),
  fc.record({ kind: fc.constant('predicate'), sql: filled }),
  fc.constant({ kind: 'table' }),
);
const databaseSource = fc.oneof(
  defined({
    dataSource: name,
    schema: some(name),
    table: name,
    columns: some(names),
    expressions: some(fc.array(fc.record({ name, sql: filled }), { minLength: 1, maxLength: 2 })),
    where: some(text),
    sliceKey: some(name),
  }),
  defined({
    dataSource: name,
    tables: names,
    columns: some(names),
    where: some(text),
    sliceKey: some(name),
  }),
  defined({ dataSource: name, query: filled, sliceKey: some(name) }),
);
const databaseTarget = defined({
  dataSource: name,
  schema: some(name),
  table: name,
  mode: some(
    fc.constantFrom(
      'append',
      'truncate',
      'replace-swap',
      'partition-overwrite',
      'upsert',
      'ignore',
      'insert-replace-row',
    ),
  ),
  key: some(names),
  replace: some(replace),
  preSql: some(text),
  postSql: some(text),
});
const file = {
  dataSource: name,
  path: filled,
  format: some(fc.constantFrom('csv', 'jsonl')),
  header: some(fc.boolean()),
  delimiter: some(fc.constantFrom(',', '\t', ';', '|', 'n', '\u0001', '||', '\u0001\u0002')),
  quote: some(fc.constantFrom('', '"', "'", '|')),
  escape: some(fc.constantFrom('', '\\')),
  nullToken: some(text),
};
const ends = {
  source: {
    mysql: databaseSource,
    postgres: databaseSource,
    file: defined({
      ...file,
      trimWhitespace: some(fc.boolean()),
      skipEmptyRecords: some(fc.boolean()),
    }),
  },
  target: {
    mysql: databaseTarget,
    postgres: databaseTarget,
    file: defined({
      ...file,
      mode: some(fc.constantFrom('truncate', 'append', 'non-conflict')),
    }),
  },
};
const kind = fc.constantFrom('mysql' as const, 'postgres' as const, 'file' as const);

const node = fc.tuple(kind, kind).chain(([source, target]) =>
  fc.record({
    types: fc.constant({ source, target }),
    config: defined({
      source: ends.source[source],
      target: ends.target[target],
      mapping: some(mapping),
      channel: some(channel),
    }),
  }),
);

describe('a sync node as a job file', () => {
  test.each(JOB_DIALECTS)('comes back the same from %s, whatever it holds', (dialect) => {
    fc.assert(
      fc.property(node, ({ types, config }) => {
        const given = config as unknown as SyncNodeConfig;
        expect(importJob(exportJob(given, types, dialect).text).config).toEqual(given);
      }),
      { numRuns: 150, seed: 20260301 },
    );
  });

  test.each([
    ['append', 'append'],
    ['non-conflict', 'nonConflict'],
    ['truncate', 'truncate'],
    [undefined, 'truncate'],
  ])('a file that is written in the mode %s is so there too', (mode, writeMode) => {
    const config = {
      source: { dataSource: 'in', path: 'a.csv' },
      target: { dataSource: 'out', path: 'b.csv', ...(mode === undefined ? {} : { mode }) },
    };
    const types = { source: 'file', target: 'file' };
    const { text: written, onlyHere } = exportJob(config, types, 'datax');
    expect(JSON.parse(written)).toMatchObject({
      job: { content: [{ writer: { parameter: { writeMode } } }] },
    });
    if (mode !== undefined) expect(onlyHere).not.toContain('/target/mode');
  });

  test('what other tools know is said in their words, and only the rest is named', () => {
    const config = {
      source: {
        dataSource: 'shop',
        table: 'orders',
        columns: ['id', 'no'],
        where: 'id > 1',
        sliceKey: 'id',
      },
      target: { dataSource: 'dw', schema: 'ods', table: 'orders', mode: 'truncate' },
      mapping: {
        columns: [
          { from: 'id', to: 'id' },
          { from: 'no', to: 'order_no' },
        ],
      },
      channel: { concurrency: 2, dirtyLimit: { records: 0 } },
    };
    const types = { source: 'mysql', target: 'postgres' };
    const { text: written, onlyHere } = exportJob(config, types, 'datax');
    expect(onlyHere).toEqual([]);
    expect(JSON.parse(written)).toMatchObject({
      job: {
        setting: { speed: { channel: 2 }, errorLimit: { record: 0 } },
        content: [
          {
            reader: {
              name: 'mysqlreader',
              parameter: { column: ['id', 'no'], splitPk: 'id', where: 'id > 1' },
            },
            writer: {
              name: 'postgresqlwriter',
              parameter: { preSql: ['truncate table ods.orders'], writeMode: 'insert' },
            },
          },
        ],
      },
    });
    const more = {
      ...config,
      mapping: { ...config.mapping, transform: 'export default (row) => row' },
    };
    expect(exportJob(more, types, 'datax').onlyHere).toEqual(['/mapping/transform']);
  });

  test('a table that is swapped is emptied by other tools, not added to', () => {
    const config = {
      source: { dataSource: 'shop', table: 'orders', columns: ['id'] },
      target: { dataSource: 'dw', table: 'orders', mode: 'replace-swap' },
      mapping: { columns: [{ from: 'id', to: 'id' }] },
      channel: { concurrency: 1, dirtyLimit: { records: 0 } },
    };
    const types = { source: 'mysql', target: 'mysql' };
    const { text: written, onlyHere } = exportJob(config, types, 'datax');
    expect(onlyHere).toEqual(['/target/mode']);
    expect(JSON.parse(written)).toMatchObject({
      job: { content: [{ writer: { parameter: { preSql: ['truncate table orders'] } } }] },
    });
  });
});
