import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort } from '../../../src/embedded/free-port.ts';
import { findMysqlBinary } from '../../../src/embedded/mysql-binary.ts';
import { PrivateMysqlServer } from '../../../src/embedded/mysql-server.ts';
import { EmbeddedPostgresServer } from '../../../src/embedded/postgres-server.ts';
import { execute } from '../../support/servers.ts';

/** Settings that decide how much a commit costs; printed, because a figure without them says nothing. */
const DURABILITY = {
  postgres: ['fsync', 'synchronous_commit', 'full_page_writes', 'wal_level', 'shared_buffers'],
  mysql: [
    'innodb_flush_log_at_trx_commit',
    'sync_binlog',
    'log_bin',
    'binlog_format',
    'innodb_buffer_pool_size',
  ],
};

/** MariaDB and PostgreSQL of the benchmark's own, with durable settings, in one new folder. */
export async function openServers() {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  // The servers run under accounts of their own and have to get in.
  await chmod(folder, 0o755);
  const running = [];
  try {
    const postgres = await EmbeddedPostgresServer.start({
      port: await freePort(),
      password: randomBytes(12).toString('hex'),
      dataFolder: join(folder, 'postgres'),
      logFile: join(folder, 'postgres.log'),
      durable: true,
      settings: { max_wal_size: '8GB' },
    });
    running.push(postgres);
    const binary = await findMysqlBinary();
    if (binary === undefined) throw new Error('no mariadbd on this machine');
    const mysql = await PrivateMysqlServer.start({
      binary,
      port: await freePort(),
      password: randomBytes(12).toString('hex'),
      dataFolder: join(folder, 'mysql'),
      logFile: join(folder, 'mysql.log'),
      durable: true,
      settings: {
        'innodb-buffer-pool-size': '1G',
        'innodb-log-file-size': '1G',
        'local-infile': '1',
        'expire-logs-days': '0',
        'max-binlog-size': '256M',
      },
    });
    running.push(mysql);
    const servers = {
      folder,
      postgres: loginOf(postgres, 'postgres'),
      mysql: loginOf(mysql, 'mysql'),
    };
    return {
      ...servers,
      durability: await durabilityOf(servers),
      close: () => close(running, folder),
    };
  } catch (error) {
    await close(running, folder);
    throw error;
  }
}

function loginOf({ host, port, user, password, socketFolder }, kind) {
  return { host, port, user, password, socketFolder, kind, name: kind };
}

async function durabilityOf({ postgres, mysql }) {
  const shown = [];
  for (const name of DURABILITY.postgres) {
    const [row] = await execute(postgres, `SELECT current_setting('${name}') AS value`);
    shown.push(`postgres ${name}=${String(row.value)}`);
  }
  for (const name of DURABILITY.mysql) {
    const [row] = await execute(mysql, `SELECT @@${name} AS value`);
    shown.push(`mysql ${name}=${String(row.value)}`);
  }
  return shown;
}

async function close(running, folder) {
  for (const server of running) await server.stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
