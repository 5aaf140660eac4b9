import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

import { describe, expect, test } from '@jest/globals';

interface Chunk {
  readonly file: string;
  readonly src?: string;
  readonly isEntry?: boolean;
  readonly imports?: readonly string[];
  readonly css?: readonly string[];
}

const KB = 1024;
const manifest = JSON.parse(readFileSync('web/dist/.vite/manifest.json', 'utf8')) as Readonly<
  Record<string, Chunk>
>;

/** The files a browser must have before `key` can run. */
function filesOf(key: string, kind: 'js' | 'css', seen = new Set<string>()): Set<string> {
  const chunk = manifest[key];
  if (chunk === undefined) throw new Error(`the build has no ${key}`);
  for (const file of kind === 'js' ? [chunk.file] : (chunk.css ?? [])) seen.add(file);
  for (const each of chunk.imports ?? []) filesOf(each, kind, seen);
  return seen;
}

function gzipKb(files: Iterable<string>): number {
  let bytes = 0;
  for (const file of files)
    bytes += gzipSync(readFileSync(`web/dist/${file}`), { level: 9 }).length;
  return bytes / KB;
}

const entry = Object.keys(manifest).find((key) => manifest[key]?.isEntry === true) ?? '';
const shell = filesOf(entry, 'js');

describe('what a browser has to load', () => {
  test('before the first page shows is at most 260 KB of script, compressed', () => {
    expect(gzipKb(shell)).toBeLessThanOrEqual(260);
  });

  test('of style before the first page shows is at most 40 KB, compressed', () => {
    expect(gzipKb(filesOf(entry, 'css'))).toBeLessThanOrEqual(40);
  });

  test.each(Object.keys(manifest).filter((key) => key.endsWith('-page.tsx')))(
    'for %s is at most 200 KB more',
    (key) => {
      const page = [...filesOf(key, 'js')].filter((file) => !shell.has(file));
      expect(gzipKb(page)).toBeLessThanOrEqual(200);
    },
  );
});
