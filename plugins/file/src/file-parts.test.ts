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
  for await (const batch of fileRows(input, names)) rows.push(...batch);
  return { names, rows };
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

  test('without a header the columns are declared or numbered', async () => {
    expect(await readAll('a.csv', '1,2\n', { header: false })).toEqual({
      names: ['column_1', 'column_2'],
      rows: [['1', '2']],
    });
    const columns = [{ name: 'a' }, { name: 'b' }];
    expect((await readAll('a.csv', '1,2\n', { header: false, columns })).names).toEqual(['a', 'b']);
  });

  test.each([
    ['a row with too many cells', 'a,b\n1,2\n1,2,3\n', 'line 3: it has 3 cells instead of 2'],
    ['a quote that stays open', 'a,b\n1,"2\n', 'does not end'],
    ['a quote within a plain cell', 'a,b\n1,x"y\n', 'line 2: a quote inside'],
    ['a column without a name', 'a,\n1,2\n', 'line 1: column 2 has no name'],
    ['a column that is there twice', 'a,a\n1,2\n', 'line 1: the column a is there twice'],
    ['an empty file', '', 'empty'],
  ])('refuses %s and names the line', async (_, text, detail) => {
    await expect(readAll('a.csv', text)).rejects.toMatchObject({
      code: 'MR-D207',
      detail: expect.stringContaining(detail),
    });
  });

  test('refuses what is not UTF-8 at its line instead of changing it', async () => {
    const bytes = Buffer.concat([
      Buffer.from('a\n'.repeat(5)),
      Buffer.from([0x66, 0xfc, 0x72, 0x0a]),
    ]);
    await expect(readAll('a.csv', bytes)).rejects.toMatchObject({
      code: 'MR-D207',
      detail: 'a.csv, line 6: not UTF-8',
    });
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

  test.each([
    ['broken JSON', '{"a":1}\n{"a":\n', {}, 'line 2: not valid JSON'],
    ['a line that is no object', '[1]\n', {}, 'line 1: not a JSON object'],
    ['a field twice', '{"a":1,"a":2}\n', {}, 'line 1: the field a is there twice'],
    ['an undeclared field', '{"a":1,"b":2}\n', { columns: [{ name: 'a' }] }, 'unknown field b'],
  ])('JSON lines: refuses %s', async (_, text, more, detail) => {
    await expect(readAll('a.jsonl', text, { format: 'jsonl', ...more })).rejects.toMatchObject({
      code: 'MR-D207',
      detail: expect.stringContaining(detail),
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
  const text = fc.string({ unit: 'grapheme' });
  const cell = fc.oneof(fc.constant(null), fc.constant('NULL'), fc.constant(''), text);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(cell, cell), { minLength: 1 }),
      fc.constantFrom(',', ';', '\t', '|'),
      fc.constantFrom('', 'NULL'),
      async (rows, delimiter, nullToken) => {
        const options = { format, delimiter, nullToken };
        const config = fileWriterConfig.parse({ path: 'x', ...options });
        const { header, format: write } = rowFormatter(config, ['a', 'b'], sources);
        const read = await readAll('x', header + write(rows), options);
        expect(read).toEqual({ names: ['a', 'b'], rows });
      },
    ),
    { numRuns: 60 },
  );
});

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
      const splitter = new CsvSplitter(',', 'no such cell');
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
