import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
} from 'node:fs';
import { freemem, tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { freePort } from '../../src/embedded/free-port.js';
import { findMysqlBinary } from '../../src/embedded/mysql-binary.js';
import { PrivateMysqlServer } from '../../src/embedded/mysql-server.js';
import { EmbeddedPostgresServer } from '../../src/embedded/postgres-server.js';
import { isServerOf } from '../../src/embedded/server-process.js';
import { CHROMIUM } from './chromium.js';
import { unpackMysql97 } from './mysql97.mjs';
import { POSTGRES15 } from './postgres15.mjs';
import type { TestServer, TestServers } from './test-server.js';

const PREFIX = 'millrace-test-';
const MEMORY_HOME = '/dev/shm';
/** More than the data of a whole ring. */
const DATA_BYTES = 6 * 1024 ** 3;

interface Running {
  readonly folder: string;
  readonly servers: TestServers;
  readonly pids: number[];
}

/** Starts PostgreSQL 18 and 15, MariaDB and MySQL 9.7 on free ports, with data in one new folder. */
export async function startPrivateServers(): Promise<Running> {
  sweepLeftovers();
  const folder = mkdtempSync(join(dataHome(), `${PREFIX}${process.pid}-`));
  // Servers run under accounts of their own and have to get in.
  chmodSync(folder, 0o755);
  const pids: number[] = [];
  const optional = async (
    name: string,
    start: () => Promise<TestServer>,
  ): Promise<TestServer | undefined> => {
    try {
      return await start();
    } catch (error) {
      const why = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
      process.stdout.write(`not verified: ${name} (${why})\n`);
      return undefined;
    }
  };
  if (!existsSync(CHROMIUM))
    process.stdout.write(`not verified: console in a browser (there is no ${CHROMIUM})\n`);
  // Whatever came up is ended also when another one did not: `stopPrivateServers` sweeps the folder.
  const [postgres, postgres15, mariadb, mysql97] = await Promise.all([
    startPostgres('postgres', folder, pids),
    optional('PostgreSQL 15', async () => {
      if (!existsSync(POSTGRES15)) throw new Error(`there is no ${POSTGRES15}`);
      return await startPostgres('postgres15', folder, pids, POSTGRES15);
    }),
    optional('mariadb', async () => await startMysql('mariadb', folder, pids)),
    optional('mysql97', async () => {
      return await startMysql('mysql97', folder, pids, await unpackMysql97());
    }),
  ]).catch((error: unknown) => {
    stopPrivateServers({ folder, pids });
    throw error;
  });
  return { folder, pids, servers: { postgres, postgres15, mariadb, mysql97 } };
}

/** Kills the servers, whose data nobody needs, and removes their folder. Synchronous: runs in signal handlers. */
export function stopPrivateServers(running: Pick<Running, 'folder' | 'pids'>): void {
  for (const pid of running.pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Ended already: a fault test may have killed it.
    }
  }
  rmSync(running.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}

async function startPostgres(
  name: string,
  folder: string,
  pids: number[],
  native?: string,
): Promise<TestServer> {
  const server = await EmbeddedPostgresServer.start({
    dataFolder: join(folder, name),
    port: await freePort(),
    password: randomBytes(12).toString('hex'),
    logFile: join(folder, `${name}.log`),
    ...(native === undefined ? {} : { native }),
    durable: false,
    settings: {
      max_connections: '400',
      max_wal_senders: '40',
      max_replication_slots: '40',
      // In its folder, which is removed: a server that is killed leaves its shared memory in /dev/shm for ever.
      dynamic_shared_memory_type: 'mmap',
    },
  });
  pids.push(server.pid);
  return { ...pick(server), socketFolder: server.socketFolder, kind: 'postgres', name };
}

async function startMysql(
  name: string,
  folder: string,
  pids: number[],
  path?: string,
): Promise<TestServer> {
  const binary = await findMysqlBinary(path);
  if (binary === undefined) throw new Error('no mariadbd on this machine');
  if (name === 'mariadb' && binary.flavour !== 'mariadb')
    throw new Error(`${binary.path} is MySQL ${binary.version}`);
  const server = await PrivateMysqlServer.start({
    binary,
    dataFolder: join(folder, name),
    port: await freePort(),
    password: randomBytes(12).toString('hex'),
    logFile: join(folder, `${name}.log`),
    durable: false,
    settings: { 'innodb-buffer-pool-size': '128M', 'performance-schema': 'OFF' },
  });
  pids.push(server.pid);
  return { ...pick(server), kind: 'mysql', name };
}

function pick(server: TestServerLogin): TestServerLogin {
  const { host, port, user, password } = server;
  return { host, port, user, password };
}

type TestServerLogin = Pick<TestServer, 'host' | 'port' | 'user' | 'password'>;

/**
 * In memory, where there is plenty: each test makes and drops databases of hundreds of files, and ext4 looks past
 * every inode deleted in the last half minute for each new one, which took more CPU than the servers themselves.
 */
function dataHome(): string {
  if (!existsSync(MEMORY_HOME)) return tmpdir();
  const { bavail, bsize } = statfsSync(MEMORY_HOME);
  return Math.min(bavail * bsize, freemem() / 2) < DATA_BYTES ? tmpdir() : MEMORY_HOME;
}

/** A run that was killed with SIGKILL could not clean up; the next one does it for it. */
function sweepLeftovers(): void {
  const homes = [tmpdir(), MEMORY_HOME].filter((home) => existsSync(home));
  const folders = homes.flatMap((home) => readdirSync(home).map((name) => join(home, name)));
  for (const folder of folders) {
    const owner = /^millrace-test-(\d+)-/.exec(basename(folder))?.[1];
    if (owner === undefined || isAlive(Number(owner))) continue;
    const pids = [
      'postgres/postmaster.pid',
      'postgres15/postmaster.pid',
      'mariadb/server.pid',
      'mysql97/server.pid',
    ]
      .map((file) => join(folder, file))
      .filter((file) => existsSync(file))
      .map((file) => ({ file, pid: Number.parseInt(readFileSync(file, 'utf8'), 10) }))
      .filter(({ file, pid }) => isServerOf(pid, join(file, '..')))
      .map(({ pid }) => pid);
    stopPrivateServers({ folder, pids });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
