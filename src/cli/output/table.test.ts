import { describe, expect, test } from '@jest/globals';

import { displayWidth } from './display-width.js';
import { renderTable } from './table.js';
import { renderYaml } from './yaml.js';

const COLUMNS = [
  { title: 'name', of: (r: { name: string; rows: number }) => r.name },
  { title: 'rows', of: (r: { name: string; rows: number }) => r.rows, align: 'right' as const },
];

describe('a table', () => {
  test('aligns its columns also where a name is Chinese, and has no trailing blanks', () => {
    const text = renderTable(
      [
        { name: '订单', rows: 7 },
        { name: 'orders', rows: 12_345 },
      ],
      COLUMNS,
      false,
    );
    expect(text).toBe('NAME     ROWS\n订单        7\norders  12345\n');
  });

  test('keeps control characters of a name away from the terminal', () => {
    const text = renderTable([{ name: 'a\u001b[2Jb\nc', rows: 1 }], COLUMNS, false);
    expect(text).toContain('a [2Jb c');
    expect(text).not.toContain('\u001b');
  });

  test('paints a cell only where colour is wanted, without changing the width', () => {
    const columns = [{ title: 's', of: () => 'ok', color: () => '32' }, COLUMNS[1]];
    const rows = [{ name: '', rows: 1 }];
    const [first, second] = columns;
    if (first === undefined || second === undefined) throw new Error('two columns were made');
    expect(renderTable(rows, [first, second], true)).toContain('\u001b[32mok\u001b[0m     1');
    expect(renderTable(rows, [first, second], false)).toBe('S   ROWS\nok     1\n');
  });

  test.each([
    ['abc', 3],
    ['补数据', 6],
    ['e\u0301', 1],
    ['🚀', 2],
  ])('gives %s the width %i', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });
});

describe('YAML', () => {
  test('nests lists and maps, and quotes what a reader would take for something else', () => {
    const value = {
      name: 'orders daily',
      bizdate: '2026-11-20',
      flag: 'no',
      empty: [],
      steps: [
        { step: 'dns', ms: 3 },
        { step: 'tcp', found: { text: 'a: b' } },
      ],
      none: null,
    };
    expect(renderYaml(value)).toBe(
      [
        'name: orders daily',
        'bizdate: "2026-11-20"',
        'flag: "no"',
        'empty: []',
        'steps:',
        '  - step: dns',
        '    ms: 3',
        '  - step: tcp',
        '    found:',
        '      text: "a: b"',
        'none: null',
        '',
      ].join('\n'),
    );
  });
});
