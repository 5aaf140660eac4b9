import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
];

/** As GitHub makes the anchor of a heading. */
function anchorsOf(text: string): Set<string> {
  const headings = withoutCode(text).matchAll(/^#{1,6} (.+)$/gm);
  return new Set(
    [...headings].map(([, heading = '']) =>
      heading
        .trim()
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function withoutCode(text: string): string {
  return text.replaceAll(/^(```|~~~)[\s\S]*?^\1/gm, '');
}

function linksOf(text: string): string[] {
  const plain = withoutCode(text).replaceAll(/`[^`\n]*`/g, '');
  return [
    ...[...plain.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link),
    ...[...plain.matchAll(/(?:src|srcset|href)="([^"]+)"/g)].map(([, link = '']) => link),
  ];
}

describe.each(PAGES)('%s', (page) => {
  const text = readFileSync(page, 'utf8');

  test('has links that lead somewhere', () => {
    const broken = linksOf(text).filter((link) => {
      if (/^(https?|mailto):/.test(link)) return false;
      const [path = '', anchor] = link.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      if (!existsSync(file)) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(file, 'utf8')).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  test('begins with its one title', () => {
    const titles = [...withoutCode(text).matchAll(/^# .+$/gm)];
    expect(titles).toHaveLength(1);
    expect(text.startsWith('# ')).toBe(true);
  });
});

test('every page of docs is named by the README or by a page that the README names', () => {
  const named = new Set<string>();
  const follow = (page: string): void => {
    if (named.has(page) || !existsSync(page)) return;
    named.add(page);
    if (!page.endsWith('.md')) return;
    for (const link of linksOf(readFileSync(page, 'utf8')))
      if (!/^(https?|mailto):/.test(link)) follow(join(dirname(page), link.split('#')[0] ?? ''));
  };
  follow('README.md');
  // The folder of the decisions is named as a folder.
  const lost = PAGES.filter((page) => !named.has(page) && !page.startsWith('docs/adr/'));
  expect(lost).toEqual([]);
});
