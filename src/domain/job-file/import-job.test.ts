import { describe, expect, test } from '@jest/globals';
import { importJob } from './import-job.js';

const job = (writer: string, setting = '', reader = ''): string => `{
  // daily export
  "type": "job", "version": "2.0",
  "steps": [
    {"stepType": "mysql", "parameter": {"envType": 1, "datasource": "mysql_pub",
      "column": ["id", "\`name\`", "'const'", "to_char(a+1)", null, 7],
      "connection": [{"datasource": "mysql_pub", "table": ["u_pk"]}], ${reader}
      "where": "gmt_modified>='\${bizdate}'", "splitPk": "id", "encoding": "UTF-8"},
     "name": "Reader", "category": "reader"},
    {"stepType": "postgresql", "parameter": {"datasource": "pg",
      "column": ["id", "n", "c", "d", "e", "f"], "table": "s.t", ${writer} },
     "name": "Writer", "category": "writer"},
    {"stepType": null, "copies": 1, "parameter": {"nodes": [], "edges": [], "groups": [], "version": "2.0"},
     "name": "Processor", "category": "processor"},
  ],
  "setting": {"executeMode": null, ${setting} },
  "order": {"hops": [{"from": "Reader", "to": "Writer"}]}
}`;

describe('a job file of DataWorks 2.0', () => {
  test('becomes a sync node: names, expressions, filter, split key, limits', () => {
    const { config, notes, dialect } = importJob(
      job(
        '"writeMode": "insert"',
        '"errorLimit": {"record": "0"}, "speed": {"concurrent": 2, "throttle": true, "mbps": "12"}',
      ),
    );
    expect(dialect).toBe('dataworks-2.0');
    expect(notes).toMatchObject([{ level: 'unused', path: '$.steps[0].parameter.envType' }]);
    expect(config).toEqual({
      source: {
        dataSource: 'mysql_pub',
        table: 'u_pk',
        where: "gmt_modified>='${bizdate}'",
        sliceKey: 'id',
        columns: ['id', 'name'],
        expressions: [
          { name: 'expr_1', sql: "'const'" },
          { name: 'expr_2', sql: 'to_char(a+1)' },
          { name: 'expr_3', sql: 'null' },
          { name: 'expr_4', sql: '7' },
        ],
      },
      target: { dataSource: 'pg', schema: 's', table: 't', mode: 'append' },
      mapping: {
        columns: [
          { from: 'id', to: 'id' },
          { from: 'name', to: 'n' },
          { from: 'expr_1', to: 'c' },
          { from: 'expr_2', to: 'd' },
          { from: 'expr_3', to: 'e' },
          { from: 'expr_4', to: 'f' },
        ],
      },
      channel: {
        concurrency: 2,
        rateLimit: { bytesPerSecond: 12 * 1024 * 1024 },
        dirtyLimit: { records: 0 },
      },
    });
  });

  test('takes other names for its data sources, and refuses one that it does not have', () => {
    const file = job('"writeMode": "insert"');
    expect(importJob(file, { mysql_pub: 'shop', pg: 'dwh' }).dataSources).toMatchObject({
      source: { name: 'shop' },
      target: { name: 'dwh' },
    });
    expect(() => importJob(file, { mysql_pbu: 'shop' })).toThrow(
      'the file has no data source mysql_pbu; it has mysql_pub and pg',
    );
  });

  test('names with path, line and column what is not carried over, and never a secret', () => {
    const { notes } = importJob(
      job(
        '"session": ["set x = 1"], "password": "hush", "nullMode": "skipNull"',
        '"speed": {"throttle": false, "mbps": 3}, "jvmOption": "-Xmx1g"',
      ),
    );
    expect(
      notes.map((note) => `${note.level} ${note.path} ${note.line}:${note.column} ${note.detail}`),
    ).toEqual([
      'unused $.steps[0].parameter.envType 5:52 without effect on the rows: 1',
      'lost $.steps[1].parameter.session[0] 11:78 not carried over: "set x = 1"',
      'changed $.steps[1].parameter.password 11:104 give it to the data source',
      'lost $.steps[1].parameter.nullMode 11:124 not carried over: "skipNull"',
      'unused $.setting.speed.mbps 16:73 without `throttle` it has no effect',
      'unused $.setting.jvmOption 16:90 without effect on the rows: "-Xmx1g"',
    ]);
    expect(JSON.stringify(notes)).not.toContain('hush');
  });

  test.each([
    [
      '"writeMode": "insert", "column": ["id"]',
      '"errorLimit": {}',
      'the reader has 6 columns and the writer 1',
    ],
    [
      '"writeMode": "insert"',
      '"errorLimit": {"record": "many"}',
      '$.setting.errorLimit.record (line 16, column 61): a whole number',
    ],
    ['"writeMode": "merge"', '"errorLimit": {}', 'the write mode merge is not known'],
  ])('says where it is wrong: %s %s', (writer, setting, words) => {
    expect(() => importJob(job(writer, setting))).toThrow(
      expect.objectContaining({ code: 'MR-D216', detail: expect.stringContaining(words) }),
    );
  });

  test('a text that is no JSON is refused with line and column', () => {
    expect(() => importJob('{\n  "type": "job",\n  "steps" [\n}')).toThrow(
      expect.objectContaining({
        code: 'MR-D215',
        detail: expect.stringContaining('line 3, column 11: colon expected'),
      }),
    );
  });
});

describe('a text file of a job', () => {
  const imported = (parameter: string) => {
    const end = (kind: string, more: string): string =>
      `{"stepType": "${kind}", "parameter": {${more}}, "category": "${kind === 'txtfile' ? 'reader' : 'writer'}"}`;
    const reader = end(
      'txtfile',
      `"path": "/d/a.csv", "nullFormat": "", "column": ["*"], ${parameter}`,
    );
    const writer = end('postgresql', '"datasource": "pg", "table": "t", "column": ["*"]');
    const { config, notes } = importJob(
      `{"type": "job", "version": "2.0", "steps": [${reader}, ${writer}]}`,
    );
    const {
      dataSource: _,
      path: __,
      format: ___,
      header: ____,
      nullToken: _____,
      trimWhitespace: ______,
      skipEmptyRecords: _______,
      ...marks
    } = config.source;
    return {
      marks,
      notes: notes.map((n) => `${n.level} ${n.path.split('.').slice(3).join('.')}: ${n.detail}`),
    };
  };

  test.each([
    ['"fieldDelimiter": "\\t"', { delimiter: '\t' }],
    ['"fieldDelimiter": "\\\\t"', { delimiter: '\t' }],
    ['"fieldDelimiter": "\\\\u0001", "quoteChar": ""', { delimiter: '\u0001', quote: '' }],
    ['"fieldDelimiter": "||"', { delimiter: '||' }],
    ['"fieldDelimiter": "\\\\u0001\\\\x02"', { delimiter: '\u0001\u0002' }],
    ['"quoteChar": "\'"', { quote: "'" }],
    ['"quoteChar": "\'", "escapeCharacter": "\'"', { quote: "'", escape: '' }],
    ['"csvReaderConfig": {"delimiter": 59, "textQualifier": 39}', { delimiter: ';', quote: "'" }],
    ['"csvReaderConfig": {"useTextQualifier": "false", "textQualifier": 34}', { quote: '' }],
    ['"csvReaderConfig": {"escapeMode": 1, "recordDelimiter": 0}', { escape: '' }],
    [
      '"csvReaderConfig": {"skipEmptyRecords": false, "trimWhitespace": "false", "useComments": false, "comment": "#"}',
      {},
    ],
  ])('tells its cells apart as it says: %s', (parameter, marks) => {
    expect(imported(parameter)).toEqual({ marks, notes: [] });
  });

  test.each([
    [
      '"csvReaderConfig": {"escapeMode": 2}',
      { escape: '\\' },
      ['changed csvReaderConfig.escapeMode'],
    ],
    ['"escapeCharacter": "\\\\"', { escape: '\\' }, ['changed escapeCharacter']],
    ['"escapeCharacter": "^"', {}, ['lost escapeCharacter']],
    ['"csvReaderConfig": {"escapeMode": 3}', {}, ['lost csvReaderConfig.escapeMode']],
    [
      '"fieldDelimiter": "n", "csvReaderConfig": {"escapeMode": 2}',
      { delimiter: 'n' },
      ['lost csvReaderConfig.escapeMode'],
    ],
    ['"fieldDelimiter": "|\\n"', {}, ['lost fieldDelimiter']],
    ['"fieldDelimiter": "|;|", "quoteChar": ";"', { delimiter: '|;|' }, ['lost quoteChar']],
    [
      '"fieldDelimiter": ";", "csvReaderConfig": {"delimiter": "|"}',
      { delimiter: '|' },
      ['unused fieldDelimiter'],
    ],
    [
      '"csvReaderConfig": {"safetySwitch": false, "captureRawRecord": true}',
      {},
      ['unused csvReaderConfig.safetySwitch', 'unused csvReaderConfig.captureRawRecord'],
    ],
    ['"quoteChar": "é"', {}, ['lost quoteChar']],
    ['"fieldDelimiter": "|", "quoteChar": "|"', { delimiter: '|' }, ['lost quoteChar']],
    [
      '"csvReaderConfig": {"trimWhitespace": true, "skipEmptyRecords": true, "useComments": true, "comment": "#", "recordDelimiter": ";", "other": 1}',
      {},
      ['useComments', 'comment', 'recordDelimiter', 'other'].map(
        (key) => `lost csvReaderConfig.${key}`,
      ),
    ],
  ])('names with its path what is read otherwise here: %s', (parameter, marks, notes) => {
    const found = imported(parameter);
    expect(found.marks).toEqual(marks);
    expect(found.notes.map((note) => note.split(':')[0])).toEqual(notes);
  });
});
