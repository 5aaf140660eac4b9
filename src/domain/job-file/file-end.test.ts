import { describe, expect, test } from '@jest/globals';
import { importJob } from './import-job.js';

type Json = Readonly<Record<string, unknown>>;

/** A DataX job from files to files, each with what says its defaults. */
function imported(reader: Json, writer: Json = {}, readerName = 'txtfilereader') {
  const said = { trimWhitespace: false, skipEmptyRecords: false };
  const content = {
    reader: {
      name: readerName,
      parameter: {
        path: '/d/a.csv',
        nullFormat: '',
        column: ['*'],
        csvReaderConfig: said,
        ...reader,
      },
    },
    writer: {
      name: 'txtfilewriter',
      parameter: { path: '/out', fileName: 'b', nullFormat: '', writeMode: 'truncate', ...writer },
    },
  };
  const { config, notes, dataSources } = importJob(JSON.stringify({ job: { content: [content] } }));
  return {
    ...config,
    dataSources,
    notes: notes
      .filter(({ path }) => !path.endsWith('.fileName'))
      .map(({ level, path, detail }) => `${level} ${path.split('.parameter')[1] ?? ''}: ${detail}`),
  };
}

describe('the files of a job', () => {
  test.each([
    ['/d/a.csv', '/d', 'a.csv'],
    ['/d/in/*.csv', '/d/in', '*.csv'],
    ['/d/in/*/a.csv', '/d/in', '*/a.csv'],
    ['/d/in/', '/d/in', '**'],
    [['/d/in/a.csv', '/d/b.csv'], '/d', '{in/a.csv,b.csv}'],
    [['/a.csv', '/b.csv'], '/', '{a.csv,b.csv}'],
  ])('%j are one pattern in a folder', (path, root, pattern) => {
    const { source, dataSources, notes } = imported({ path });
    expect(dataSources.source).toMatchObject({ root });
    expect(source).toMatchObject({ path: pattern });
    expect(notes.filter((note) => note.startsWith('lost'))).toEqual([]);
  });

  test('whose names are marks of a pattern are refused among several', () => {
    expect(() => imported({ path: ['/d/a{1}.csv', '/d/b.csv'] })).toThrow(
      '$.job.content[0].reader.parameter.path[0]',
    );
  });

  test('of a data source keep their place in it', () => {
    const { source } = imported({ datasource: 'inbox', path: ['in/a.csv', 'in/b.csv'] });
    expect(source).toMatchObject({ dataSource: 'inbox', path: '{in/a.csv,in/b.csv}' });
  });

  test('are read and written as their defaults are there, or it is said', () => {
    const read = imported({ nullFormat: undefined, csvReaderConfig: undefined });
    expect(read.notes).toEqual([
      'changed : without `nullFormat` no cell is NULL there; here an empty one without quotes is',
    ]);
    expect(read.source).toMatchObject({ trimWhitespace: true, skipEmptyRecords: true });
    const told = imported({ csvReaderConfig: { trimWhitespace: false } }).source;
    expect(told).toMatchObject({ skipEmptyRecords: true });
    expect(told).not.toHaveProperty('trimWhitespace');
    const written = imported({}, { nullFormat: undefined });
    expect(written.target).toMatchObject({ nullToken: 'null' });
    expect(written.notes).toEqual([]);
  });
});

describe('the date format of a file that is written', () => {
  const dates = [
    { index: 0, type: 'string' },
    { index: 1, type: 'date', format: 'yyyy.MM.dd' },
  ];

  test.each(['dateFormat', 'format'])('is that of the columns that are dates: %s', (key) => {
    const { mapping, notes } = imported({ column: dates }, { [key]: 'yyyy-MM-dd HH' });
    expect(mapping).toMatchObject({
      columns: [
        { position: 1 },
        {
          position: 2,
          functions: [
            { function: 'cast', type: 'date', format: 'yyyy.MM.dd' },
            { function: 'cast', type: 'text', format: 'yyyy-MM-dd HH' },
          ],
        },
      ],
    });
    expect(notes).toEqual([]);
  });

  test.each([
    ['without a date', [{ index: 0, type: 'string' }], 'txtfilereader', 'unused'],
    ['with texts alone', ['*'], 'txtfilereader', 'unused'],
    [
      'with dates of a form that nobody says',
      [{ index: 0, type: 'date' }],
      'txtfilereader',
      'lost',
    ],
    ['of a table', ['id'], 'mysqlreader', 'lost'],
  ])('of rows %s', (_, column, kind, level) => {
    const reader = kind === 'mysqlreader' ? { table: 't', column } : { column };
    const { notes } = imported(reader, { dateFormat: 'yyyy' }, kind);
    expect(notes).toContainEqual(expect.stringMatching(new RegExp(`^${level} \\.dateFormat`)));
  });
});

describe('the write mode of a file', () => {
  test.each([
    ['truncate', 'truncate', []],
    ['append', 'append', ['changed']],
    ['nonConflict', 'non-conflict', []],
    ['overwrite', 'truncate', ['lost']],
  ])('%s is %s here', (writeMode, mode, levels) => {
    const { target, notes } = imported({}, { writeMode });
    expect(target).toMatchObject({ mode });
    const own = notes.filter((note) => note.includes('.writeMode'));
    expect(own.map((note) => note.split(' ')[0])).toEqual(levels);
  });
});
