import { execFile } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

export interface MysqlBinary {
  /** `mariadbd`, `mysqld`, or a script that takes their arguments. */
  readonly path: string;
  readonly flavour: 'mariadb' | 'mysql';
  /** As the server says it, e.g. `10.11.14-MariaDB-0+deb12u2`. */
  readonly version: string;
}

const run = promisify(execFile);
const NAMES = ['mariadbd', 'mysqld'];
/** Debian keeps servers in sbin, which is not on the PATH of an ordinary user. */
const MORE_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin'];

/** The first MySQL-protocol server of this machine that answers `--version`, or the one at `path`. */
export async function findMysqlBinary(path?: string): Promise<MysqlBinary | undefined> {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...MORE_FOLDERS];
  const candidates =
    path === undefined
      ? NAMES.flatMap((name) =>
          folders.filter((folder) => folder !== '').map((folder) => join(folder, name)),
        )
      : [path];
  for (const candidate of new Set(candidates)) {
    const binary = isFile(candidate) ? await describe(candidate) : undefined;
    if (binary !== undefined) return binary;
  }
  return undefined;
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}

async function describe(path: string): Promise<MysqlBinary | undefined> {
  try {
    const { stdout } = await run(path, ['--no-defaults', '--version'], { cwd: '/' });
    const version = /Ver (\S+)/.exec(stdout)?.[1];
    if (version === undefined) return undefined;
    return { path, version, flavour: version.includes('MariaDB') ? 'mariadb' : 'mysql' };
  } catch {
    return undefined;
  }
}

/** MariaDB makes its data folder with a script of its own, installed apart from the server. */
export function mariadbInstaller(binary: MysqlBinary): string | undefined {
  const near = dirname(binary.path);
  return [near, join(near, '../bin'), join(near, '../scripts'), '/usr/bin', '/usr/local/bin']
    .flatMap((folder) => ['mariadb-install-db', 'mysql_install_db'].map((n) => join(folder, n)))
    .find(isFile);
}
