import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import { ERRORS } from '../../src/domain/error-registry.js';
import { PluginHost } from '../../src/plugin-host/plugin-host.js';

const ROOT = fileURLToPath(new URL('.', import.meta.url));
const PLURAL = /_(zero|one|two|few|many|other)$/;

type Texts = ReadonlyMap<string, string>;

function flat(value: unknown, prefix: string, into: Map<string, string>): Map<string, string> {
  if (typeof value === 'string') return into.set(prefix, value);
  for (const [key, inner] of Object.entries(value as Record<string, unknown>))
    flat(inner, prefix === '' ? key : `${prefix}.${key}`, into);
  return into;
}

function textsOf(folder: string, language: string): Texts {
  const text = readFileSync(join(folder, `${language}.json`), 'utf8');
  return flat(JSON.parse(text), '', new Map());
}

const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' });
const folders = files.filter((file) => basename(file) === 'locales');
const namespaces = new Map(
  folders.map((folder) => {
    const path = join(ROOT, folder);
    const name = basename(join(path, '..'));
    return [name, { en: textsOf(path, 'en'), zh: textsOf(path, 'zh-CN') }];
  }),
);
const sources = files
  .filter((file) => /\.tsx?$/.test(file) && !/\.(test|gen)\.tsx?$/.test(file))
  .map((file) => ({ file, text: readFileSync(join(ROOT, file), 'utf8') }));

const placeholders = (text: string): string[] =>
  [...text.matchAll(/\{\{\s*([\w.]+)/g)].map(([, name]) => name ?? '').sort();

const isTranslated = [...namespaces].filter(
  ([name]) => name !== 'errors' && name !== 'plugin-texts',
);

describe.each(isTranslated)('the texts of %s', (_name, { en, zh }) => {
  it('are the same in both languages', () => {
    expect([...zh.keys()].sort()).toEqual([...en.keys()].sort());
  });

  it('have the same placeholders, and none is empty', () => {
    for (const [key, text] of en) {
      expect([key, placeholders(zh.get(key) ?? '')]).toEqual([key, placeholders(text)]);
      expect([key, text.trim(), (zh.get(key) ?? '').trim()]).not.toContain('');
    }
  });

  it('have Chinese in Chinese where English has words', () => {
    // Names stay as they are (SQL, JSON, TLS); a whole sentence in English was forgotten.
    const forgotten = [...zh].filter(([, text]) => /[A-Za-z]+ [a-z]+ [a-z]+/.test(text));
    expect(forgotten).toEqual([]);
  });
});

it('has a namespace of its own for each folder', () => {
  expect(namespaces.size).toBe(folders.length);
});

describe('the texts of the errors', () => {
  it('are there in Chinese for every code, and for no other', () => {
    const codes = Object.keys(ERRORS).flatMap((code) => [`${code}.help`, `${code}.title`]);
    const zh = namespaces.get('errors')?.zh ?? new Map<string, string>();
    expect([...zh.keys()].sort()).toEqual(codes.sort());
    expect([...zh.values()].filter((text) => !/\p{Script=Han}/u.test(text))).toEqual([]);
  });

  it('keep what has to be typed as it is written', () => {
    const zh = namespaces.get('errors')?.zh ?? new Map<string, string>();
    for (const [code, { help }] of Object.entries(ERRORS))
      for (const [typed] of help.matchAll(/`[^`]+`|MILLRACE_[A-Z_]+|\$\{[^}]+\}|\$\[[^\]]+\]/g))
        expect([code, zh.get(`${code}.help`)?.includes(typed)]).toEqual([code, true]);
  });
});

describe('the texts of the built-in plugins', () => {
  it('are there in Chinese, and no other', async () => {
    const host = await PluginHost.open([]);
    const wanted = new Set<string>();
    const collect = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      for (const [key, inner] of Object.entries(value)) {
        if ((key === 'title' || key === 'description') && typeof inner === 'string')
          wanted.add(inner);
        else if (key !== 'examples' && key !== 'default') collect(inner);
      }
    };
    for (const { dataSources, readers, writers, nodes } of host.manifests())
      collect([dataSources, readers, writers, nodes]);
    // Keys are sentences with dots: not to be read as paths.
    const path = join(ROOT, 'plugin-texts/locales/zh-CN.json');
    const zh = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>;
    expect(Object.keys(zh).sort()).toEqual([...wanted].sort());
  });
});

interface Use {
  readonly file: string;
  readonly key: string;
}

/** Every literal key with the namespace it is looked up in, as `namespace:key`. */
function literalUses(): Use[] {
  return sources.flatMap(({ file, text }) => {
    // A `t` that is handed in belongs to the folder of the file.
    const folder = basename(join(ROOT, file, '..'));
    const own = namespaces.has(folder) ? folder : 'app';
    const name = /useTranslation\(\s*\[?\s*'([\w-]+)'/.exec(text)?.[1] ?? own;
    const calls = text.matchAll(/(?<![\w.])(?:i18n\.|i18next\.)?t\(/g);
    return [...calls].flatMap(({ index, 0: call }) =>
      keysOf(text, index + call.length).map((key) => ({
        file: relative(ROOT, join(ROOT, file)),
        key: key.includes(':') ? key : `${name}:${key}`,
      })),
    );
  });
}

/** The literals of the first argument: one, or both of a choice `isOne ? 'a' : 'b'`. */
function keysOf(text: string, from: number): string[] {
  let depth = 0;
  let end = from;
  for (; end < text.length; end += 1) {
    const char = text[end] ?? '';
    if ('([{'.includes(char)) depth += 1;
    if (')]}'.includes(char) && (depth -= 1) < 0) break;
    if (char === ',' && depth === 0) break;
  }
  const argument = text.slice(from, end).trim();
  if (/^'[^']*'$/.test(argument)) return [argument.slice(1, -1)];
  const choice = /\?\s*'([^']+)'\s*:\s*'([^']+)'\s*$/.exec(argument);
  return choice === null ? [] : [choice[1] ?? '', choice[2] ?? ''];
}

describe('the keys that the code names', () => {
  const uses = literalUses();

  it('are found by this test', () => {
    expect(uses.length).toBeGreaterThan(100);
  });

  it('all exist', () => {
    const missing = uses.filter(({ key }) => {
      const [name = '', ...rest] = key.split(':');
      const texts = namespaces.get(name)?.en;
      const wanted = rest.join(':');
      return !(texts?.has(wanted) === true || texts?.has(`${wanted}_other`) === true);
    });
    expect(missing).toEqual([]);
  });
});

it('gives every plural its form for one and for many', () => {
  for (const [name, { en }] of namespaces)
    for (const key of en.keys()) {
      if (!PLURAL.test(key)) continue;
      const stem = key.replace(PLURAL, '');
      expect([name, stem, en.has(`${stem}_one`), en.has(`${stem}_other`)]).toEqual([
        name,
        stem,
        true,
        true,
      ]);
    }
});
