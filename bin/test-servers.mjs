import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { progress } from './console.mjs';
import { POSTGRES15 } from '../test/support/postgres15.mjs';
import { run } from './run.mjs';

const CHROMIUM = '/usr/bin/chromium';

/**
 * Gets the database servers and the browser that npm does not bring, where this machine lets us: Debian,
 * as root. What cannot be had is named later by the test setup, as `not verified`.
 */
export async function prepareServers() {
  const isDebianRoot =
    process.platform === 'linux' && process.getuid() === 0 && existsSync('/usr/bin/apt-get');
  if (!isDebianRoot) return;
  // Only the programs: the full package would also start a server of the system.
  const missing = [
    ...(hasMariadb() ? [] : ['mariadb-server-core', 'mariadb-client-core']),
    ...(existsSync(CHROMIUM) ? [] : ['chromium', 'fonts-dejavu-core']),
  ];
  if (missing.length > 0) {
    const done = progress(`installing ${missing.join(', ')}`);
    done((await install(missing)) ? 'done' : 'not possible');
  }
  if (!existsSync(POSTGRES15)) {
    const done = progress('installing postgresql-15');
    done((await installPostgres15()) ? 'done' : 'not possible');
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

async function install(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-q'], { quiet: true, env });
  const wanted = ['install', '-y', '-q', '--no-install-recommends', ...packages];
  const { code } = await run('apt-get', wanted, { quiet: true, env });
  return code === 0;
}

/** Debian makes and starts a server of the system with the programs, unless it was told not to before. */
async function installPostgres15() {
  const config = '/etc/postgresql-common/createcluster.conf';
  if (!existsSync(config)) {
    if (!(await install(['postgresql-common']))) return false;
    const text = readFileSync(config, 'utf8');
    writeFileSync(
      config,
      text.replace(/^#?create_main_cluster.*$/m, 'create_main_cluster = false'),
    );
  }
  return await install(['postgresql-15']);
}
