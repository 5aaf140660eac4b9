/**
 * Real MySQL 9.7 from Debian sid, unpacked in a folder; nothing is installed. apt runs with lists, cache
 * and package status of its own, so the system's stay as they are and signatures are still checked.
 *   node test/support/mysql97.mjs [FOLDER]     prints the path of the `mysqld` script
 */
import { execFile } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const TRIPLET = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[process.arch];
const LOADER = { x64: 'ld-linux-x86-64.so.2', arm64: 'ld-linux-aarch64.so.1' }[process.arch];

export const MYSQL97_FOLDER = join(tmpdir(), 'millrace-mysql97');

/** @returns {string | undefined} the script that runs mysqld, when it has been unpacked already */
export function unpackedMysql97(folder = MYSQL97_FOLDER) {
  const script = join(folder, 'mysqld');
  return existsSync(script) ? script : undefined;
}

/**
 * @returns {Promise<string>} the script that runs mysqld
 * @throws {Error} when this machine cannot have it; the message says why
 */
export async function unpackMysql97(folder = MYSQL97_FOLDER) {
  const done = unpackedMysql97(folder);
  if (done !== undefined) return done;
  if (process.platform !== 'linux' || TRIPLET === undefined)
    throw new Error('only on Linux, x64 or arm64');
  if (!existsSync('/usr/bin/apt-get')) throw new Error('no apt-get here');
  // Unpacked beside its place and renamed, so that two runs at once cannot see half of it.
  mkdirSync(dirname(folder), { recursive: true });
  const building = mkdtempSync(`${folder}-`);
  chmodSync(building, 0o755);
  try {
    await download(building);
    for (const deb of readdirSync(join(building, 'apt/archives')).filter((f) => f.endsWith('.deb')))
      await run('dpkg-deb', ['-x', join(building, 'apt/archives', deb), join(building, 'root')]);
    rmSync(join(building, 'apt'), { recursive: true, force: true });
    writeScripts(building);
    await run(join(building, 'mysqld'), ['--version'], { cwd: '/' });
    try {
      renameSync(building, folder);
    } catch (error) {
      if (unpackedMysql97(folder) === undefined) throw error;
    }
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
  return join(folder, 'mysqld');
}

/** @param {string} building */
async function download(building) {
  const apt = join(building, 'apt');
  for (const path of ['apt/lists/partial', 'apt/archives/partial', 'root'])
    mkdirSync(join(building, path), { recursive: true });
  writeFileSync(join(apt, 'status'), '');
  writeFileSync(
    join(apt, 'sid.sources'),
    `Types: deb\nURIs: ${debianArchive()}\nSuites: sid\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n`,
  );
  const settings = {
    'Dir::State': apt,
    'Dir::State::Lists': join(apt, 'lists'),
    'Dir::State::status': join(apt, 'status'),
    'Dir::Cache': apt,
    'Dir::Cache::Archives': join(apt, 'archives'),
    'Dir::Etc::sourcelist': join(apt, 'sid.sources'),
    'Dir::Etc::sourceparts': '/dev/null',
    'APT::Sandbox::User': 'root',
    'Debug::NoLocking': '1',
    'Acquire::Languages': 'none',
  };
  writeFileSync(
    join(apt, 'apt.conf'),
    Object.entries(settings)
      .map(([name, value]) => `${name} "${value}";\n`)
      .join(''),
  );
  const env = { ...process.env, APT_CONFIG: join(apt, 'apt.conf') };
  await run('apt-get', ['-q', 'update'], { env });
  await run(
    'apt-get',
    ['-q', '-y', '--no-install-recommends', '--download-only', 'install', 'mysql-server-core'],
    { env, maxBuffer: 1 << 24 },
  );
}

/** The archive this system already uses, so that a mirror is respected. */
function debianArchive() {
  const folder = '/etc/apt/sources.list.d';
  const files = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  for (const file of [...files, '/etc/apt/sources.list'].filter((path) => existsSync(path))) {
    const found = /(?:^URIs:|^deb(?: \[[^\]]*\])?)\s+(\S+\/debian\/?)(?:\s|$)/m.exec(
      readFileSync(file, 'utf8'),
    );
    if (found !== null) return found[1];
  }
  throw new Error('the sources of apt name no Debian archive');
}

/**
 * sid's libc is newer than the system's, so the server runs under the loader it came with.
 * @param {string} building
 */
function writeScripts(building) {
  const script = `#!/bin/sh
# Runs the unpacked MySQL server; it reads no option file of the system.
H=$(dirname "$(readlink -f "$0")"); R=$H/root; L=$R/usr/lib/${TRIPLET}
[ "$1" = --no-defaults ] && shift
exec "$L/${LOADER}" --library-path "$L:$R/usr/lib/mysql/private" "$R/usr/sbin/mysqld" --no-defaults \\
  --basedir="$R/usr" --lc-messages-dir="$R/usr/share/mysql" --plugin-dir="$R/usr/lib/mysql/plugin" \\
  --character-sets-dir="$R/usr/share/mysql/charsets" --secure-file-priv= "$@"
`;
  writeFileSync(join(building, 'mysqld'), script, { mode: 0o755 });
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  console.log(await unpackMysql97(process.argv[2]));
