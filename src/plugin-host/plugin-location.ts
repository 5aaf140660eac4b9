import { readFile, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { MillraceError } from '../domain/errors.js';
import { isRecord } from './json-schema.js';

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ?? false;
}

/** Node's own search, done by hand: `import()` looks from this file's place only, not the user's. */
async function findPackageFolder(name: string, from: string): Promise<string | undefined> {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (await isFolder(candidate)) return candidate;
    if (dirname(folder) === folder) return undefined;
  }
}

function exportedEntry(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!isRecord(value)) return undefined;
  if ('.' in value) return exportedEntry(value['.']);
  for (const condition of ['node', 'import', 'default']) {
    const entry = exportedEntry(value[condition]);
    if (entry !== undefined) return entry;
  }
  return undefined;
}

async function entryOf(folder: string, specifier: string): Promise<string> {
  const file = join(folder, 'package.json');
  let manifest: unknown;
  try {
    manifest = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MillraceError('MR-P107', `${specifier}: ${reason}`, { cause: error });
  }
  const { exports: exported, main } = isRecord(manifest) ? manifest : {};
  const entry = exportedEntry(exported) ?? (typeof main === 'string' ? main : 'index.js');
  return join(folder, entry);
}

/**
 * The file a plugin is loaded from. `specifier` is an npm package name, looked for from each of
 * `folders` upwards, or the absolute path of a package folder or a file. MR-P107 when there is none.
 */
export async function pluginEntry(specifier: string, folders: readonly string[]): Promise<string> {
  if (isAbsolute(specifier)) {
    const found = await stat(specifier).catch(() => undefined);
    if (found === undefined) throw new MillraceError('MR-P107', `${specifier} does not exist`);
    return found.isDirectory() ? entryOf(specifier, specifier) : specifier;
  }
  if (/^\.|\\|(^|\/)\.\.(\/|$)/.test(specifier) || specifier === '') {
    throw new MillraceError(
      'MR-P107',
      `"${specifier}" is neither a package name nor an absolute path`,
    );
  }
  for (const from of folders) {
    const folder = await findPackageFolder(specifier, from);
    if (folder !== undefined) return entryOf(folder, specifier);
  }
  throw new MillraceError(
    'MR-P107',
    `no package ${specifier} was found from ${folders.join(', ')}`,
  );
}
