import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Cell, Column } from '@millrace/sdk';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { CsvSplitter } from './csv-splitter.js';
import { fileReaderConfig, fileWriterConfig } from './file-config.js';
import { existingFile, writableFile } from './file-path.js';
import { columnNames, fileRows } from './file-rows.js';
import { rowFormatter } from './format-rows.js';
import { jsonObjectCells } from './json-object.js';
import { RowEncoder } from './row-encoder.js';
import { ENCODINGS, lineEnd, textEncoding } from './text-encoding.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'millrace-file-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function readAll(name: string, bytes: string | Uint8Array, more: object = {}) {
  await writeFile(join(root, name), bytes);
  const config = fileReaderConfig.parse({ path: name, ...more });
  const signal = new AbortController().signal;
  const input = { file: join(root, name), path: name, config, signal };
  const names = await columnNames(input);
  const rows: (readonly Cell[])[] = [];
  const broken: string[] = [];
  for await (const batch of fileRows(input, names)) {
    for (const row of batch.rows) rows.push(row);
    for (const { code, place, reason, bytes: original } of batch.broken) {
      broken.push(`${code} ${place}: ${reason}: ${Buffer.from(original).toString('latin1')}`);
    }
  }
  return { names, rows, ...(broken.length === 0 ? {} : { broken }) };
}

describe('reading a file', () => {
  test('tells an empty cell from an empty text in quotes', async () => {
    expect(await readAll('a.csv', 'id,name\n1,\n2,""\n3,"a ""b"", c"\n')).toEqual({
      names: ['id', 'name'],
      rows: [
        ['1', null],
        ['2', ''],
        ['3', 'a "b", c'],
      ],
    });
  });

  test('accepts a byte order mark, Windows line ends and gzip', async () => {
    const text = '\uFEFFid;näme\r\n1;ü\r\n';
    expect(await readAll('a.csv.gz', gzipSync(text), { delimiter: ';' })).toEqual({
      names: ['id', 'näme'],
      rows: [['1', 'ü']],
    });
  });

  test.each(ENCODINGS)('reads %s line by line, in whatever pieces it comes', async (encoding) => {
    const { encode, lineFeed } = textEncoding(encoding);
    const lines = Array.from({ length: 4000 }, (_, i) => `${i},"${'x'.repeat(i % 90)}\n"`);
    const [head, good] = ['id,t\n', `${lines.join('\r\n')}\n`].map((t) => encode(t));
    const bad = encode('1,2,3\n');
    const bytes = Buffer.concat([head, good, bad, good].map((part) => part ?? Buffer.alloc(0)));
    const { rows, broken } = await readAll('a.csv.gz', gzipSync(bytes), { encoding });
    expect(rows).toHaveLength(8000);
    expect(rows.at(-1)).toEqual(['3999', `${'x'.repeat(3999 % 90)}\n`]);
    const original = bad
      ?.subarray(0, bad.length - (lineFeed === 'byte' ? 1 : 2))
      .toString('latin1');
    expect(broken).toEqual([
      `MR-D240 a.csv.gz, line 8002: it has 3 cells instead of 2: ${original}`,
    ]);
  });

  test('without a header the columns are declared or numbered', async () => {
    expect(await readAll('a.csv', '1,2\n', { header: false })).toEqual({
      names: ['column_1', 'column_2'],
      rows: [['1', '2']],
    });
    const columns = [{ name: 'a' }, { name: 'b' }];
    expect((await readAll('a.csv', '1,2\n', { header: false, columns })).names).toEqual(['a', 'b']);
  });

  test.each([
    ['a quote that stays open', '"a,b\n', 'line 1: a quoted cell does not end'],
    ['a quote within a plain cell', 'a,b"c\n1,2\n', 'line 1: a quote inside'],
    ['bytes that are not of the encoding', Buffer.from([0x61, 0xfc, 0x0a]), 'it is not utf-8'],
    ['a column without a name', 'a,\n1,2\n', 'line 1: column 2 has no name'],
    ['a column that is there twice', 'a,a\n1,2\n', 'line 1: the column a is there twice'],
    ['an empty file', '', 'empty'],
  ])('refuses a header with %s', async (_, text, detail) => {
    await expect(readAll('a.csv', text)).rejects.toMatchObject({
      code: 'MR-D207',
      detail: expect.stringContaining(detail),
    });
  });

  test('keeps lines that are no rows as they stand, and reads the others', async () => {
    const bytes = Buffer.concat([
      Buffer.from('a,b\n1,2\r\n1,2,3\n'),
      Buffer.from([0x66, 0xfc, 0x72, 0x2c, 0x0a]),
      Buffer.from('5,"6\n7,8'),
    ]);
    expect(await readAll('a.csv', bytes)).toEqual({
      names: ['a', 'b'],
      rows: [
        ['1', '2'],
        ['7', '8'],
      ],
      broken: [
        'MR-D240 a.csv, line 3: it has 3 cells instead of 2: 1,2,3',
        'MR-D241 a.csv, line 4: it is not utf-8: f\u00fcr,',
        'MR-D240 a.csv, line 5: a quoted cell does not end: 5,"6',
      ],
    });
  });

  test('a line of more than 16 MB is left out without being kept', async () => {
    const long = 'x'.repeat(17 * 1024 * 1024);
    const { rows, broken } = await readAll('a.csv', `a\n1\n${long}\n2\n`);
    expect(rows).toEqual([['1'], ['2']]);
    expect(broken).toEqual([
      `MR-D251 a.csv, line 3: a line of ${long.length + 1} bytes; at most 16777216 are read: `,
    ]);
  });

  test('a quote that stays open in a long file costs its line and no other', async () => {
    const lines = Array.from({ length: 300_000 }, (_, i) =>
      i === 7 ? `"${i}` : `${i}${'-'.repeat(70)}`,
    );
    const { rows, broken } = await readAll('a.csv', `a\n${lines.join('\n')}\n`);
    expect(rows).toHaveLength(299_999);
    expect(broken).toEqual(['MR-D240 a.csv, line 9: a quoted cell does not end: "7']);
  });

  test('keeps characters whole that lie across two chunks', async () => {
    const text = 'é漢😀'.repeat(60_000);
    const { rows } = await readAll('a.csv', `a\nx${text}\n`);
    expect(rows[0]?.[0] === `x${text}`).toBe(true);
  });

  test('refuses a cut gzip file', async () => {
    const cut = gzipSync('a\n'.repeat(1000)).subarray(0, 20);
    await expect(readAll('a.csv.gz', cut)).rejects.toMatchObject({ code: 'MR-D207' });
  });

  test('JSON lines keep numbers as they are written', async () => {
    const text =
      '{"id":9007199254740993,"p":1.10,"o":{"a":[1,"}"]},"t":true}\n\n{"p":null,"id":-1e400}\n';
    expect(await readAll('a.jsonl', text, { format: 'jsonl' })).toEqual({
      names: ['id', 'p', 'o', 't'],
      rows: [
        ['9007199254740993', '1.10', '{"a":[1,"}"]}', 'true'],
        ['-1e400', null, null, null],
      ],
    });
  });

  test('JSON lines that are no objects of the columns are kept as they stand', async () => {
    const text = '{"a":1}\n{"a":\n[1]\n{"a":1,"a":2}\n{"a":1,"b":2}\n{"a":3}';
    const options = { format: 'jsonl', columns: [{ name: 'a' }] };
    expect(await readAll('a.jsonl', text, options)).toEqual({
      names: ['a'],
      rows: [['1'], ['3']],
      broken: [
        'MR-D240 a.jsonl, line 2: not valid JSON: {"a":',
        'MR-D240 a.jsonl, line 3: not a JSON object: [1]',
        'MR-D240 a.jsonl, line 4: the field a is there twice: {"a":1,"a":2}',
        'MR-D240 a.jsonl, line 5: unknown field b; declare the columns to have it: {"a":1,"b":2}',
      ],
    });
  });

  test('a string of many megabytes in a JSON line is read like any other', async () => {
    const long = 'x'.repeat(15_000_000);
    const text = `{"a":"${long}\\""}\n{"a":["${long}"]}\n`;
    const { rows, ...others } = await readAll('a.jsonl', text, { format: 'jsonl' });
    expect(others).toEqual({ names: ['a'] });
    expect(rows.map(([cell]) => cell?.length)).toEqual([15_000_001, 15_000_004]);
  });

  test('a JSON column of JSON lines keeps what its strings are', async () => {
    const values = ['"1"', '"true"', '1', '"a"', '{"b": "c"}', '""'];
    const text = values.map((value) => `{"a":${value}}`).join('\n');
    const columns = [{ name: 'a', type: 'json' }];
    const { rows } = await readAll('a.jsonl', text, { format: 'jsonl', columns });
    expect(rows).toEqual(values.map((value) => [value]));
  });

  test('refuses a file as JSON lines that has none', async () => {
    await expect(readAll('a.jsonl', 'a,b\n', { format: 'jsonl' })).rejects.toMatchObject({
      code: 'MR-D207',
      detail: 'a.jsonl, line 1: not valid JSON',
    });
  });
});

test('the cells of a JSON object are its values', () => {
  const value = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(fc.string()),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.string(), value), (object) => {
      const cells = jsonObjectCells(JSON.stringify(object, null, 1));
      expect(Object.fromEntries(cells)).toEqual(
        Object.fromEntries(
          Object.entries(object).map(([key, each]) => [
            key,
            each === null || typeof each === 'string' ? each : expect.anything(),
          ]),
        ),
      );
      for (const [key, cell] of cells) {
        const each = object[key];
        if (typeof each !== 'string' && each !== null) expect(JSON.parse(cell ?? '')).toEqual(each);
      }
    }),
  );
});

test.each(['csv', 'jsonl'])('what is written as %s is read back unchanged', async (format) => {
  const sources = ['a', 'b'].map((name): Column => ({
    name,
    nativeType: 'text',
    type: { kind: 'text' },
    nullable: true,
  }));
  const text = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }));
  const seen = { whole: 0, refused: 0 };
  const cell = fc.oneof(
    fc.constant(null),
    fc.constantFrom(
      'NULL',
      '',
      String.raw`\N`,
      '\\',
      'a\\"',
      '\\\n',
      '|',
      'a|',
      '|||',
      'ac',
      'aca',
      '\u0001',
    ),
    text,
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(cell, cell), { minLength: 1 }),
      fc.constantFrom(',', ';', '\t', '|', '||', '|a|', '\u0001\u0002', 'aca'),
      fc.constantFrom('', 'NULL', String.raw`\N`),
      fc.constantFrom(...ENCODINGS),
      fc.constantFrom('"', "'", ''),
      fc.constantFrom('', '\\'),
      fc.boolean(),
      fc.boolean(),
      async (rows, delimiter, nullToken, encoding, quote, escape, quoteAll, isMarked) => {
        const options = { format, delimiter, nullToken, encoding, quote, escape };
        const config = fileWriterConfig.parse({ path: 'x', ...options, quoteAll });
        const formatter = rowFormatter(config, ['a', 'b'], sources);
        const encoder = new RowEncoder(formatter, textEncoding(encoding), ['a', 'b']);
        const { bytes, refused } = encoder.encode(rows);
        const mark = isMarked ? encoder.byteOrderMark : Buffer.alloc(0);
        const file = Buffer.concat([mark, encoder.header ?? Buffer.alloc(0), bytes]);
        const out = new Set(refused.map(({ cells }) => cells));
        const kept = rows.filter((row) => !out.has(row));
        seen[out.size === 0 ? 'whole' : 'refused'] += 1;
        const read = await readAll('x', file, options);
        expect(read.rows).toEqual(kept);
        expect(read).not.toHaveProperty('broken');
        if (kept.length > 0) expect(read.names).toEqual(['a', 'b']);
      },
    ),
    { numRuns: 300 },
  );
  expect(seen.whole).toBeGreaterThan(20);
  expect(seen.refused).toBeGreaterThan(20);
});

test('JSON is written as JSON lines exactly, or not at all', () => {
  const source = { name: 's', nativeType: 'json', type: { kind: 'json' }, nullable: true } as const;
  const config = fileWriterConfig.parse({ path: 'x', format: 'jsonl' });
  const encode = (column: Column, cell: string) => {
    const encoder = new RowEncoder(rowFormatter(config, ['a'], [column]), textEncoding('utf-8'), [
      'a',
    ]);
    const { bytes, refused } = encoder.encode([[cell]]);
    return bytes.toString() || refused.map(({ reason, column: name }) => `${name}: ${reason}`);
  };
  const isNull = ['a: a null of JSON, which a line has for NULL alone'];
  const cells: readonly (readonly [string, unknown])[] = [
    ['"1"', '{"a":"1"}\n'],
    ['9007199254740993.10', '{"a":9007199254740993.10}\n'],
    ['{"b":\n1,"b":-0}', '{"a":{"b": 1,"b":-0}}\n'],
    ['null', isNull],
    [' null\n', isNull],
    ['1},{"a":2', ['a: not valid JSON']],
  ];
  for (const [cell, written] of cells) {
    expect(encode(source, cell)).toEqual(written);
    expect(encode({ ...source, unchecked: true }, cell)).toEqual(written);
  }
  for (const number of ['9223372036854775808', '-0', '1e400', '1.10', '0.1234567890123456789']) {
    expect(encode({ ...source, type: { kind: 'decimal' } }, number)).toBe(`{"a":${number}}\n`);
  }
  expect(encode({ ...source, type: { kind: 'float', bits: 64 } }, 'NaN')).toBe('{"a":"NaN"}\n');
});

test.each(ENCODINGS)('%s keeps each character that it takes, and takes those it is for', (name) => {
  const encoding = textEncoding(name);
  const typical: Record<string, string> = {
    gb: '漢字，€',
    bi: '漢字，',
    sh: 'カタカナ漢字~\\',
    euc: 'a~\\',
    iso: 'aé',
    'windows-1252': '€œ',
    'windows-1251': 'Ж€',
    koi: 'Ж',
    utf: '漢😀\uFFFD\uFEFF',
  };
  const [, text = 'a'] = Object.entries(typical).find(([start]) => name.startsWith(start)) ?? [];
  expect(encoding.decode(encoding.encode(text) ?? Buffer.alloc(0))).toBe(text);
  const taken = Array.from({ length: 0x1_0100 }, (_, code) => String.fromCodePoint(code)).flatMap(
    (char) => {
      const bytes = encoding.encode(char);
      return bytes === undefined ? [] : [{ char, bytes }];
    },
  );
  expect(taken.length).toBeGreaterThan(200);
  const changed = taken.filter(({ char, bytes }) => encoding.decode(bytes) !== char);
  const lines = taken.filter(({ bytes }) => lineEnd(bytes, 0, encoding.lineFeed) !== -1);
  expect({ changed, lines: lines.map(({ char }) => char) }).toEqual({ changed: [], lines: ['\n'] });
});

test.each(ENCODINGS.filter((name) => name !== 'utf-8'))(
  'bytes are of %s, or none of them is changed in silence',
  (name) => {
    const encoding = textEncoding(name);
    const odd = new Set<string>();
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 12 }), (bytes) => {
        const text = encoding.decode(Buffer.from(bytes));
        odd.add(text === undefined ? 'refused' : 'text');
        if (text !== undefined) expect(text).not.toMatch(/\p{Surrogate}/u);
        if (text?.includes('\uFFFD')) expect(encoding.encode(text)).toEqual(Buffer.from(bytes));
      }),
    );
    expect(odd).toContain('text');
  },
);

test('CSV text is cut as csv-parse cuts it, whatever pieces it comes in', () => {
  const cell = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('', '"', 'a\n', '\r\n', ',,'),
  );
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const line = fc.tuple(cell, cell, fc.constantFrom('\n', '\r\n'));
  fc.assert(
    fc.property(fc.array(line, { minLength: 1 }), fc.integer({ min: 1, max: 7 }), (lines, size) => {
      const plain = (text: string): string => (/["\r\n,]|^\uFEFF/.test(text) ? quoted(text) : text);
      const text = lines.map(([a, b, end]) => `${plain(a)},${quoted(b)}${end}`).join('');
      const config = fileReaderConfig.parse({ path: 'x', nullToken: 'no such cell' });
      const splitter = new CsvSplitter(config);
      const pieces = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
      const rows = [...pieces.flatMap((piece) => splitter.push(piece)), ...splitter.end()];
      expect(rows).toEqual(parse(text, { record_delimiter: ['\n', '\r\n'] }));
    }),
  );
});

describe('paths', () => {
  test.each(['../x', '/etc/passwd', 'a/../../x', '', '.', 'a\0b'])(
    'refuse %p as outside of the root',
    async (path) => {
      await expect(existingFile(root, path)).rejects.toMatchObject({ code: 'MR-D206' });
      await expect(writableFile(root, path)).rejects.toMatchObject({ code: 'MR-D206' });
    },
  );

  test('refuse links that lead out of the root, for reading and for writing', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'millrace-outside-'));
    await writeFile(join(outside, 'secret.csv'), 'a\n');
    await symlink(join(outside, 'secret.csv'), join(root, 'link.csv'));
    await symlink(outside, join(root, 'folder'));
    for (const path of ['link.csv', 'folder/secret.csv']) {
      await expect(existingFile(root, path)).rejects.toMatchObject({ code: 'MR-D206' });
    }
    await expect(writableFile(root, 'folder/new.csv')).rejects.toMatchObject({ code: 'MR-D206' });
    await rm(outside, { recursive: true });
  });

  test('within the root may be nested', async () => {
    await mkdir(join(root, 'a'));
    await writeFile(join(root, 'a', 'x..csv'), 'a\n');
    expect(await existingFile(root, 'a/x..csv')).toContain('x..csv');
  });
});
