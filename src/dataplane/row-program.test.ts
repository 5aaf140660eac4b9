import { describe, expect, test } from '@jest/globals';
import type { Column, LogicalType, TableSchema } from '@millrace/sdk';
import type { CellFunction } from './cell-functions.js';
import { compileFunctions } from './cell-functions.js';
import type { FieldMapping } from './field-mapping.js';
import { resolveMapping } from './field-mapping.js';
import { RowProgram } from './row-program.js';
import { loadTransform } from './row-transform.js';

const TEXT: LogicalType = { kind: 'text' };

function column(name: string, type: LogicalType = TEXT): Column {
  return { name, nativeType: type.kind, type, nullable: true };
}

function table(...columns: readonly Column[]): TableSchema {
  return { table: 't', columns, primaryKey: [] };
}

/** The cell after the functions, or what refuses it. */
function apply(
  functions: readonly CellFunction[],
  cell: string | Uint8Array,
  type = TEXT,
): unknown {
  const compiled = compileFunctions(functions, column('a', type));
  if (typeof compiled === 'string') return compiled;
  try {
    return compiled.functions.reduce<unknown>((value, each) => each(value as string), cell);
  } catch (error) {
    return (error as { readonly detail?: string }).detail;
  }
}

describe('a function of the field mapping', () => {
  test.each<[CellFunction, string, unknown]>([
    [{ function: 'substr', start: 1, length: 2 }, 'a😀bc', '😀b'],
    [{ function: 'substr', start: 9 }, 'abc', ''],
    [
      { function: 'pad', side: 'left', length: 6, fill: '0' },
      '12345678901234567890',
      '12345678901234567890',
    ],
    [{ function: 'pad', side: 'left', length: 5, fill: 'xy' }, 'é', 'xyxyé'],
    [{ function: 'pad', side: 'right', length: 3, fill: '-' }, '', '---'],
    [{ function: 'replace', start: 1, length: 2, with: '**' }, 'abcd', 'a**d'],
    [{ function: 'digest', algorithm: 'md5' }, 'a', '0cc175b9c0f1b6a831c399e269772661'],
    [
      { function: 'digest', algorithm: 'sha1', case: 'upper' },
      'a',
      '86F7E437FAA5A7FCE15D1DDCB9EAEAEA377667B8',
    ],
    [{ function: 'mask', keepStart: 3, keepEnd: 4 }, '13812345678', '138****5678'],
    [{ function: 'mask', keepStart: 3, keepEnd: 4 }, '123456', '******'],
    [
      { function: 'jsonPath', path: "$.a[1]['x y']" },
      '{"a":[0,{"x y":123456789012345678901.50}]}',
      '123456789012345678901.50',
    ],
    [{ function: 'jsonPath', path: '$.b' }, '{"a":1}', null],
    [{ function: 'jsonPath', path: '$.s' }, '{"s":"\\u00e9\\n"}', 'é\n'],
    [{ function: 'jsonPath', path: '$.o' }, '{"o":{"k": [1]}}', '{"k": [1]}'],
    [{ function: 'jsonPath', path: '$.a' }, '{a:1}', 'the text is not JSON'],
    [{ function: 'jsonPath', path: 'a.b' }, '{}', '"a.b" is not a path like $.a.b[0]'],
    [{ function: 'cast', type: 'integer' }, '+0012345678901234567890.000', '12345678901234567890'],
    [{ function: 'cast', type: 'integer' }, '-0', '0'],
    [{ function: 'cast', type: 'integer' }, '1.5', 'it is not a whole number'],
    [{ function: 'cast', type: 'decimal' }, ' -.50', '-0.50'],
    [{ function: 'cast', type: 'decimal' }, '1e3', 'it is not a decimal number'],
    [{ function: 'cast', type: 'boolean' }, 'Y', 'true'],
    [{ function: 'cast', type: 'boolean' }, '2', 'it is neither true nor false'],
    [{ function: 'cast', type: 'date', format: 'yyyyMMdd' }, '20240229', '2024-02-29'],
    [
      { function: 'cast', type: 'date', format: 'yyyyMMdd' },
      '20230229',
      'it is no date like yyyyMMdd',
    ],
    [{ function: 'cast', type: 'date', format: 'd/M/yyyy' }, '1/2/2024', '2024-02-01'],
    [
      { function: 'cast', type: 'timestamp', format: "yyyy-MM-dd'T'HH:mm:ss.SSSSSS" },
      '2024-01-02T03:04:05.000100',
      '2024-01-02 03:04:05.0001',
    ],
    [
      { function: 'cast', type: 'timestamp' },
      '2024-01-02 25:00:00',
      'it is no timestamp like yyyy-MM-dd HH:mm:ss',
    ],
    [
      { function: 'cast', type: 'date', format: 'yyyy-QQ' },
      '',
      'the date format has QQ: yyyy MM dd HH mm ss and S are known',
    ],
  ])('%j of %s', (spec, cell, expected) => {
    expect(apply([spec], cell)).toBe(expected);
  });

  test('a date is written in a form, and digits that would be lost are refused', () => {
    const type = { kind: 'timestamp', fraction: 6, zoned: false } as const;
    const format = (pattern: string): CellFunction => ({
      function: 'cast',
      type: 'text',
      format: pattern,
    });
    expect(apply([format('yyyyMMdd HHmm')], '2024-01-02 03:04:05.5', type)).toBe('20240102 0304');
    expect(apply([format('ss.SSS')], '2024-01-02 03:04:05.5', type)).toBe('05.500');
    expect(apply([format('ss.S')], '2024-01-02 03:04:05.55', type)).toMatch(/no part/);
    expect(apply([format('yyyy')], 'infinity', type)).toMatch(/cannot be written/);
    expect(apply([format('yyyy')], 'x')).toMatch(/this is text/);
  });

  test('bytes have a digest and nothing else', () => {
    const bytes = { kind: 'bytes' } as const;
    expect(apply([{ function: 'digest', algorithm: 'md5' }], Buffer.from('a'), bytes)).toBe(
      '0cc175b9c0f1b6a831c399e269772661',
    );
    expect(apply([{ function: 'substr', start: 0 }], Buffer.from('a'), bytes)).toBe(
      'substr cannot be done with bytes',
    );
  });
});

const source = table(column('id', { kind: 'integer', bits: 64, unsigned: false }), column('name'));
const target = table(column('id'), column('n'));

async function program(mapping: FieldMapping, code?: string): Promise<RowProgram> {
  const facts = { parameters: { p: 'v' }, bizdate: '2026-03-01' };
  const transform = code === undefined ? undefined : await loadTransform(code, facts);
  return new RowProgram(mapping, resolveMapping(mapping, source, target), transform);
}

const columns = [
  { from: 'id', to: 'id' },
  { from: 'name', to: 'n' },
];

describe('the rows of a mapping', () => {
  test.each([
    ['by row', { by: 'row' } as const, ['7', 'x']],
    [
      'by row in an order',
      { by: 'row', from: ['name', 'id'], to: ['id', 'n'] } as const,
      ['x', '7'],
    ],
    ['by place', { columns: [{ position: 2, to: 'n' }] }, ['x']],
    [
      'with a constant',
      {
        columns: [
          { constant: '20260301', to: 'n' },
          { from: 'id', to: 'id' },
        ],
      },
      ['20260301', '7'],
    ],
  ])('%s', async (_, mapping, row) => {
    const rows = await program(mapping);
    expect(rows.run(rows.raw(['7', 'x']))).toEqual({ kind: 'row', row });
  });

  test('by row two lists of different length are refused', () => {
    const short = table(column('id'));
    expect(() => resolveMapping({ by: 'row' }, source, short)).toThrow(
      /source has 2 columns .* target 1/,
    );
  });

  test('rows are dropped by numbers compared as numbers, however long', async () => {
    const drop = [{ column: 'ID', operator: '>' as const, value: '9007199254740993' }];
    const rows = await program({ columns, drop });
    const kindOf = (id: string | null): string => rows.run([id, 'x']).kind;
    expect(['9007199254740992', '9007199254740993', '9007199254740994', null].map(kindOf)).toEqual([
      'row',
      'row',
      'dropped',
      'row',
    ]);
  });

  test('rows are dropped by a pattern of the whole text', async () => {
    const rows = await program({
      columns,
      drop: [{ column: 'n', operator: 'matches', value: 'a.*' }],
    });
    expect(['abc', 'xa'].map((name) => rows.run(['1', name]).kind)).toEqual(['dropped', 'row']);
  });

  test('a value that a function refuses makes the row dirty with the cells of the source', async () => {
    const cast = [
      { from: 'name', to: 'n', functions: [{ function: 'cast', type: 'integer' } as const] },
    ];
    const rows = await program({ columns: cast });
    expect(rows.run(['x'])).toEqual({
      kind: 'dirty',
      raw: ['x'],
      column: 'n',
      code: 'MR-D217',
      reason: 'it is not a whole number',
    });
  });
});

describe('a transform in TypeScript', () => {
  test('gets text and gives text, and knows the parameters', async () => {
    const code = `
      type Row = Record<string, string | null>;
      export default (row: Row, { parameters, bizdate }: { parameters: Record<string, string>; bizdate: string }): Row | null =>
        row.n === 'gone' ? null : { ...row, id: BigInt(row.id!) + 1n as unknown as string, n: \`\${row.n}-\${parameters.p}-\${bizdate}\` };`;
    const rows = await program({ columns, transform: code }, code);
    expect(rows.run(['9007199254740993', 'x'])).toEqual({
      kind: 'row',
      row: ['9007199254740994', 'x-v-2026-03-01'],
    });
    expect(rows.run(['1', 'gone'])).toEqual({ kind: 'dropped' });
  });

  test.each([
    ['({ ...row, id: 1 })', /gives id a number/],
    ['({ id: row.id })', /leaves out n/],
    ['({ ...row, x: "1" })', /gives x, which is not mapped/],
    ['Promise.resolve(row)', /promise/],
    ['undefined', /not undefined/],
    ['row.n.toUpperCase().missing.length', /TypeError/],
  ])('a row that comes back as %s is dirty', async (body, reason) => {
    const code = `export default (row: Record<string, string>) => ${body};`;
    const rows = await program({ columns }, code);
    expect(rows.run(['1', 'x'])).toMatchObject({
      kind: 'dirty',
      reason: expect.stringMatching(reason),
    });
  });

  test.each([
    ['export default (row: => row', /line 1, column 22/],
    ['export const a = 1;', /no `export default/],
    ['throw new Error("at load");', /at load/],
  ])('is refused before the first row: %s', async (code, detail) => {
    const loaded = loadTransform(code, { parameters: {}, bizdate: '' });
    await expect(loaded).rejects.toMatchObject({
      code: 'MR-D218',
      detail: expect.stringMatching(detail),
    });
  });
});
