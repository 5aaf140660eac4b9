import { describe, expect, test } from '@jest/globals';
import { importJob } from './import-job.js';

type Json = Readonly<Record<string, unknown>>;

interface Ends {
  readonly reader?: Json;
  readonly writer?: Json;
  readonly kinds?: readonly [string, string];
}

/** A DataX job of these parameters, beside those that every job needs. */
function imported({ reader, writer, kinds = ['mysql', 'postgresql'] }: Ends) {
  const connection = [{ jdbcUrl: 'jdbc:postgresql://dw:5432/dw', table: ['t'] }];
  const content = {
    reader: { name: `${kinds[0]}reader`, parameter: { column: ['*'], ...reader } },
    writer: { name: `${kinds[1]}writer`, parameter: { column: ['*'], connection, ...writer } },
  };
  const { config, notes, dataSources } = importJob(JSON.stringify({ job: { content: [content] } }));
  const at = (path: string): string => path.replace('$.job.content[0].', '');
  return {
    source: config.source,
    target: config.target,
    dataSources,
    notes: notes.map((note) => `${note.level} ${at(note.path)}: ${note.detail}`),
  };
}

const url = (place: string): string[] => [`jdbc:mysql://${place}`];

describe('several tables of a job', () => {
  const own = { where: 'id > 0', splitPk: 'id' };

  test.each([
    ['a list', ['a', '`b`'], ['a', 'b']],
    ['a range', ['t_[0-31]'], ['t_[0-31]']],
    ['a range with zeros', ['t_[00-31]'], ['t_[00-31]']],
    ['a range that runs backwards', ['t_[3-0]'], ['t_[0-3]']],
    ['names in one text', ['a, b', 'c'], ['a', 'b', 'c']],
    ['databases', ['shop_[0-1].t_[0-3]', '`x`.`y`'], ['shop_[0-1].t_[0-3]', 'x.y']],
    ['another database', ['shop.orders'], ['shop.orders']],
  ])('are those of the reader, cut and filtered one by one: %s', (_, table, tables) => {
    const connection = [{ table, jdbcUrl: url('db/shop') }];
    const { source, notes } = imported({ reader: { ...own, connection } });
    expect(source).toEqual({ dataSource: 'shop', tables, where: 'id > 0', sliceKey: 'id' });
    expect(notes).toEqual([]);
  });

  test('may be of several connections to one database', () => {
    const connection = [
      { table: ['a'], jdbcUrl: url('db:3306/shop?useSSL=false') },
      { table: ['b_[0-1]'], jdbcUrl: url('DB/shop') },
    ];
    expect(imported({ reader: { connection } }).source).toMatchObject({ tables: ['a', 'b_[0-1]'] });
    const named = [
      { datasource: 'shop', table: ['a'] },
      { datasource: 'shop', table: 'b' },
    ];
    expect(imported({ reader: { connection: named } })).toMatchObject({
      source: { dataSource: 'shop', tables: ['a', 'b'] },
      notes: [],
    });
  });

  test('of several databases of one MySQL server are named with their database', () => {
    const connection = [
      { table: ['t_[0-1]', 'x.y'], jdbcUrl: url('db:3306/shop_0') },
      { table: ['t_[2-3]'], jdbcUrl: url('db:3306/shop_1') },
    ];
    const { source, notes } = imported({ reader: { connection } });
    expect(source).toMatchObject({
      dataSource: 'shop_0',
      tables: ['shop_0.t_[0-1]', 'x.y', 'shop_1.t_[2-3]'],
    });
    expect(notes).toEqual([]);
  });

  test.each([
    ['another server', 'mysql', url('a/shop'), url('b/shop')],
    [
      'another database of PostgreSQL',
      'postgresql',
      ['jdbc:postgresql://a/x'],
      ['jdbc:postgresql://a/y'],
    ],
  ])('of %s are refused with their path, and never left out', (_, kind, first, second) => {
    const connection = [
      { table: ['t'], jdbcUrl: first },
      { table: ['t'], jdbcUrl: second },
    ];
    expect(() => imported({ reader: { connection }, kinds: [kind, 'postgresql'] })).toThrow(
      expect.objectContaining({
        code: 'MR-D216',
        detail: expect.stringMatching(
          /^\$\.job\.content\[0\]\.reader\.parameter\.connection\[1\] \(line 1, column \d+\): a sync reads one data source.*one sync for each/,
        ),
      }),
    );
  });

  test('of two data sources are refused, also in a query, and so is a second target', () => {
    const connection = [
      { datasource: 'a', querySql: ['select 1'] },
      { datasource: 'b', querySql: ['select 2'] },
    ];
    expect(() => imported({ reader: { connection } })).toThrow('connection[1]');
    const targets = [
      { jdbcUrl: 'jdbc:postgresql://a/x', table: ['t'] },
      { jdbcUrl: 'jdbc:postgresql://b/x', table: ['t'] },
    ];
    const reader = { connection: [{ datasource: 'a', table: ['t'] }] };
    expect(() => imported({ reader, writer: { connection: targets } })).toThrow(
      'writer.parameter.connection[1]',
    );
  });
});

describe('parts of a database job without effect on its rows', () => {
  test('are unused, each with its path', () => {
    const connection = [
      { querySql: ['select 1;'], jdbcUrl: [...url('a/shop'), ...url('standby/shop')] },
    ];
    const reader = { connection, where: 'x', column: ['id'], splitPk: 'id', fetchSize: 512 };
    const { source, notes } = imported({ reader, writer: { batchSize: '1024', guid: null } });
    expect(source).toEqual({ dataSource: 'shop', query: 'select 1' });
    expect(notes).toEqual([
      'unused reader.parameter.column: `querySql` stands for it',
      'unused reader.parameter.connection[0].jdbcUrl[1]: another address of the same database',
      'unused reader.parameter.where: `querySql` stands for it',
      'unused reader.parameter.splitPk: `querySql` stands for it',
      'unused reader.parameter.fetchSize: without effect on the rows: 512',
      'unused writer.parameter.batchSize: without effect on the rows: "1024"',
    ]);
  });

  const reader = { connection: [{ datasource: 'a', table: ['t'] }] };
  const kinds = ['mysql', 'mysql'] as const;

  test.each([
    ['set session innodb_lock_wait_timeout = 60', '', 'unused'],
    ["SET sql_mode='ANSI'", 'delete from t where id = 1', 'changed'],
    ["set session sql_mode='ANSI'", 'delete from "t"', 'lost'],
    ['set foreign_key_checks = 0', '', 'lost'],
    ['set sql_mode = "", autocommit = 0', '', 'lost'],
  ])('a setting of the session may change them: %s with %s is %s', (statement, preSql, level) => {
    const writer = { session: [statement], preSql: [preSql] };
    const [note] = imported({ reader, writer, kinds }).notes;
    expect(note).toMatch(new RegExp(String.raw`^${level} writer\.parameter\.session\[0\]: `));
  });
});

describe('the write mode of a job', () => {
  const reader = { connection: [{ datasource: 'a', table: ['t'] }] };

  test.each([
    ['insert', { mode: 'append' }],
    ['copy', { mode: 'append' }],
    ['COPY', { mode: 'append' }],
    ['replace', { mode: 'insert-replace-row' }],
    ['update', { mode: 'upsert' }],
    ['update (id)', { mode: 'upsert', key: ['id'] }],
    ['update(`id`, "day")', { mode: 'upsert', key: ['id', 'day'] }],
    ['insert ignore', { mode: 'ignore' }],
  ])('%s', (writeMode, expected) => {
    const { target, notes } = imported({ reader, writer: { writeMode } });
    const { dataSource: _, table: __, ...rest } = target;
    expect(rest).toEqual(expected);
    expect(notes).toEqual([]);
  });

  test('a table in quotes keeps them in the statements of the job', () => {
    const connection = [{ datasource: 'b', table: ['`order`'] }];
    const preSql = ['delete from @table', 'analyze table @table'];
    expect(imported({ reader, writer: { connection, preSql } }).target).toMatchObject({
      table: 'order',
      preSql: 'delete from `order`;\nanalyze table `order`',
    });
  });

  test('a key that is no list of columns is named', () => {
    const { target, notes } = imported({ reader, writer: { writeMode: 'update (lower(id))' } });
    expect(target).not.toHaveProperty('key');
    expect(notes).toEqual([
      'changed writer.parameter.writeMode: the keys of the target decide, not (lower(id))',
    ]);
  });
});
