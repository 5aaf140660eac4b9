import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { PluginError } from '@millrace/sdk';
import { glob, isDynamicPattern } from 'tinyglobby';

function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

function refusal(path: string): PluginError {
  return new PluginError('MR-D206', `${path} is outside of the root folder of the data source`);
}

function missing(path: string, error: unknown): PluginError {
  const reason = error instanceof Error ? error.message : String(error);
  return new PluginError('MR-D206', `${path}: ${reason}`, { cause: error });
}

async function realRoot(root: string): Promise<string> {
  return realpath(root).catch((error: unknown) => {
    throw missing(root, error);
  });
}

function joined(root: string, path: string): string {
  if (path === '' || path.includes('\0') || isAbsolute(path)) throw refusal(path);
  const full = resolve(root, path);
  if (full === root || !isInside(root, full)) throw refusal(path);
  return full;
}

/** The real path of an existing file; symbolic links that lead out of the root are refused. MR-D206. */
export async function existingFile(root: string, path: string): Promise<string> {
  const base = await realRoot(root);
  const wanted = joined(base, path);
  const real = await realpath(wanted).catch((error: unknown) => {
    throw missing(path, error);
  });
  if (!isInside(base, real)) throw refusal(path);
  if (!(await stat(real)).isFile()) throw new PluginError('MR-D206', `${path} is not a file`);
  return real;
}

/**
 * The files that a path means, in the order of their names, relative to the root: itself, or those that it
 * matches as a pattern. MR-D206 where there is none.
 */
export async function matchingFiles(root: string, path: string): Promise<readonly string[]> {
  const base = await realRoot(root);
  const isFile = await stat(joined(base, path)).then(
    (found) => found.isFile(),
    () => false,
  );
  if (isFile || !isDynamicPattern(path)) return [path];
  const found = await glob(path, { cwd: base, onlyFiles: true, followSymbolicLinks: false });
  if (found.length === 0) throw new PluginError('MR-D206', `no file matches ${path}`);
  return found.toSorted((a, b) => (a < b ? -1 : 1));
}

/**
 * A file, a folder with something in it, or a pattern that a file matches. MR-D206 where the root is not there or
 * is empty: what is not mounted has not gone.
 */
export async function isPresent(root: string, path: string): Promise<boolean> {
  const base = await realRoot(root);
  const names = await readdir(base).catch((error: unknown) => {
    throw missing(root, error);
  });
  if (names.length === 0)
    throw new PluginError('MR-D206', `${root} is empty: nothing may be mounted there`);
  const wanted = joined(base, path);
  if (isDynamicPattern(path))
    return (
      (await glob(path, { cwd: base, onlyFiles: true, followSymbolicLinks: false })).length > 0
    );
  const real = await realpath(wanted).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw missing(path, error);
  });
  if (real === undefined) return false;
  if (!isInside(base, real)) throw refusal(path);
  const found = await stat(real);
  return found.isDirectory() ? (await readdir(real)).length > 0 : found.isFile();
}

/**
 * Where a file may be written: within the root, no link to elsewhere, and nothing else there. Of its folders
 * those that are not there are left to the caller to make.
 */
export async function writableFile(root: string, path: string): Promise<string> {
  const base = await realRoot(root);
  const wanted = joined(base, path);
  const folder = await foreseenFolder(dirname(wanted), dirname(path));
  if (!isInside(base, folder)) throw refusal(path);
  const full = join(folder, basename(wanted));
  const found = await stat(full).catch(() => undefined);
  if (found !== undefined && !found.isFile()) {
    throw new PluginError('MR-D206', `${path} is there already and is not a file`);
  }
  return full;
}

/** The real path of a folder, or the one it will have: what is not there yet is no link. */
async function foreseenFolder(folder: string, path: string): Promise<string> {
  const found = await realpath(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw missing(path, error);
  });
  if (found === undefined) {
    return join(await foreseenFolder(dirname(folder), dirname(path)), basename(folder));
  }
  if ((await stat(found)).isDirectory()) return found;
  throw new PluginError('MR-D206', `${path} is there already and is not a folder`);
}
