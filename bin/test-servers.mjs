import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { progress } from './console.mjs';
import { run } from './run.mjs';

/**
 * Gets the database servers that npm does not bring, where this machine lets us: Debian, as root. What
 * cannot be had is named later by the test setup, as `not verified`.
 */
export async function prepareServers() {
  const isDebianRoot =
    process.platform === 'linux' && process.getuid() === 0 && existsSync('/usr/bin/apt-get');
  if (!isDebianRoot) return;
  if (!hasMariadb()) {
    const done = progress('installing MariaDB');
    done((await installMariadb()) ? 'done' : 'not possible');
  }
  const { unpackedMysql97, unpackMysql97 } = await import('../test/support/mysql97.mjs');
  if (unpackedMysql97() === undefined) {
    const done = progress('unpacking MySQL 9.7');
    await unpackMysql97().then(
      () => done('done'),
      () => done('not possible'),
    );
  }
}

function hasMariadb() {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/bin'];
  return folders.some((folder) => existsSync(join(folder, 'mariadbd')));
}

/** Only the programs: the full package would also start a server of the system. */
async function installMariadb() {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const packages = ['mariadb-server-core', 'mariadb-client-core'];
  const install = ['install', '-y', '-q', '--no-install-recommends', ...packages];
  await run('apt-get', ['update', '-q'], { quiet: true, env });
  const { code } = await run('apt-get', install, { quiet: true, env });
  return code === 0;
}
