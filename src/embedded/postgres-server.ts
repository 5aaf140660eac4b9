import { execFile, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { MillraceError } from '../domain/errors.js';
import { installedPostgres, reachablePostgres } from './postgres-binaries.js';
import {
  endProcess,
  hasEnded,
  isServerOf,
  logTail,
  startServer,
  waitUntilReady,
} from './server-process.js';
import { systemErrorOf } from './system-error.js';
import { canEnter, serverUserOf, type SystemUser } from './system-user.js';

const run = promisify(execFile);

export interface EmbeddedPostgresOptions {
  /** Made on the first start. Its parent must be a folder the server's account can enter (see `location.ts`). */
  readonly dataFolder: string;
  readonly port: number;
  readonly password: string;
  readonly logFile: string;
  /** Superuser of the server, fixed by the first start. */
  readonly user?: string;
  /** Databases made together with the data folder. Lower-case words. */
  readonly databases?: readonly string[];
  /** More `-c name=value` settings; they win over ours. */
  readonly settings?: Readonly<Record<string, string>>;
  /** `false` for data nobody will miss (tests): no fsync. Default true. */
  readonly durable?: boolean;
  /** Another PostgreSQL than the one npm installed: the folder with its `bin`, `lib` and `share`. */
  readonly native?: string;
}

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;
const INTERRUPTED_FOLDER_HELD = /pre-existing shared memory block|lock file ".*" already exists/;

/** Of a socket's path, its ending NUL included: the kernel knows no longer ones. */
const SOCKET_PATH_BYTES = 108;

/** A private PostgreSQL: 127.0.0.1 and a socket in its data folder, password login, logical WAL. */
export class EmbeddedPostgresServer implements AsyncDisposable {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly dataFolder: string;
  readonly pid: number;
  readonly #child: ChildProcess;

  private constructor(options: EmbeddedPostgresOptions, child: ChildProcess, pid: number) {
    this.port = options.port;
    this.user = options.user ?? 'postgres';
    this.password = options.password;
    this.dataFolder = options.dataFolder;
    this.pid = pid;
    this.#child = child;
  }

  /**
   * Initialises the data folder if it is new, ends a server that a killed parent left in it, and
   * starts. @throws MR-A204 incomplete folder, MR-A209 folder of another PostgreSQL, MR-A210 no start
   */
  static async start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgresServer> {
    const user = serverUserOf(['postgres']);
    const home = dirname(options.dataFolder);
    mkdirSync(home, { recursive: true, mode: 0o755 });
    if (!canEnter(home, user))
      throw new MillraceError('MR-A202', `${home}: the user ${user?.name} cannot enter it`);
    const native = reachablePostgres(options.native ?? installedPostgres(), user, home);
    await endOrphanPostgres(options.dataFolder);
    if (isNew(options.dataFolder)) await initialise(options, native, user);
    await refuseOtherVersion(options.dataFolder, native);
    const { child, pid } = await launch(options, native, user);
    return new EmbeddedPostgresServer(options, child, pid);
  }

  /**
   * `postgres://` URL of one database of this server, by its socket where it has one: a statement and its answer
   * take a fifth less time than over TCP. Holds the password: never log it.
   */
  url(database = 'postgres'): string {
    const login = `${encodeURIComponent(this.user)}:${encodeURIComponent(this.password)}`;
    const url = `postgres://${login}@${this.host}:${this.port}/${encodeURIComponent(database)}`;
    const { socketFolder } = this;
    return socketFolder === undefined ? url : `${url}?host=${encodeURIComponent(socketFolder)}`;
  }

  /** Only who may enter the data folder gets to it. */
  get socketFolder(): string | undefined {
    return socketFolderOf(this);
  }

  isRunning(): boolean {
    return !hasEnded(this.#child);
  }

  /** Fast shutdown: open transactions are rolled back, the data folder is clean. */
  async stop(): Promise<void> {
    await shutDown(this.pid, this.dataFolder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function socketFolderOf({
  dataFolder,
  port,
}: Pick<EmbeddedPostgresOptions, 'dataFolder' | 'port'>): string | undefined {
  const path = join(dataFolder, `.s.PGSQL.${port}`);
  return Buffer.byteLength(path) < SOCKET_PATH_BYTES ? dataFolder : undefined;
}

async function shutDown(pid: number, dataFolder: string): Promise<void> {
  if (!isServerOf(pid, dataFolder)) return;
  if (await endProcess(pid, 'SIGINT', dataFolder, STOP_TIMEOUT_MS)) return;
  // SIGQUIT is the server's own emergency stop: it replays its log at the next start.
  await endProcess(pid, 'SIGQUIT', dataFolder, STOP_TIMEOUT_MS);
}

/** Ends the server that a killed parent left in this data folder; its port is free then. True if one lived. */
export async function endOrphanPostgres(dataFolder: string): Promise<boolean> {
  const pidFile = join(dataFolder, 'postmaster.pid');
  if (!existsSync(pidFile)) return false;
  const pid = Number.parseInt(readFileSync(pidFile, 'utf8'), 10);
  if (isServerOf(pid, dataFolder)) {
    await shutDown(pid, dataFolder);
    return true;
  }
  // PostgreSQL refuses to start while *any* process has the number in these files, and after a reboot
  // or in a new container another program soon has it.
  for (const file of readdirSync(dataFolder))
    if (file.startsWith('.s.PGSQL.')) rmSync(join(dataFolder, file), { force: true });
  rmSync(pidFile, { force: true });
  return false;
}

function isNew(dataFolder: string): boolean {
  if (!existsSync(dataFolder) || readdirSync(dataFolder).length === 0) return true;
  const isComplete = ['PG_VERSION', 'postgresql.conf', 'global/pg_control'].every((file) =>
    existsSync(join(dataFolder, file)),
  );
  if (!isComplete) throw new MillraceError('MR-A204', dataFolder);
  return false;
}

async function initialise(
  options: EmbeddedPostgresOptions,
  native: string,
  user: SystemUser | undefined,
): Promise<void> {
  // Built beside its place and renamed: a first start that is killed leaves nothing half-made there.
  const building = `${options.dataFolder}.building`;
  rmSync(building, { recursive: true, force: true });
  mkdirSync(building, { mode: 0o700 });
  const passwordFile = `${options.dataFolder}.password`;
  writeFileSync(passwordFile, `${options.password}\n`, { mode: 0o600 });
  if (user !== undefined)
    for (const path of [building, passwordFile]) chownSync(path, user.uid, user.gid);
  const args = ['-D', building, '-U', options.user ?? 'postgres', '--pwfile', passwordFile];
  args.push('--auth=scram-sha-256', '--encoding=UTF8', '--locale=C');
  if (options.durable === false) args.push('--no-sync');
  try {
    await run(join(native, 'bin/initdb'), args, asUser(user));
    if (options.databases !== undefined)
      await createDatabases(options.databases, building, native, user);
    renameSync(building, options.dataFolder);
    chmodSync(options.dataFolder, 0o700);
  } catch (cause) {
    throw new MillraceError('MR-A210', `initdb failed: ${outputOf(cause)}`, { cause });
  } finally {
    rmSync(passwordFile, { force: true });
    rmSync(building, { recursive: true, force: true });
  }
}

/** In the server's single-user mode, so that the folder is complete before anybody can connect. */
async function createDatabases(
  names: readonly string[],
  folder: string,
  native: string,
  user: SystemUser | undefined,
): Promise<void> {
  const server = run(
    join(native, 'bin/postgres'),
    ['--single', '-D', folder, 'postgres'],
    asUser(user),
  );
  server.child.stdin?.end(names.map((name) => `CREATE DATABASE "${name}"\n`).join(''));
  const { stderr } = await server;
  if (/ERROR|FATAL|PANIC/.test(stderr)) throw new Error(stderr);
}

function asUser(user: SystemUser | undefined) {
  return {
    cwd: '/',
    env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
    ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
  };
}

function outputOf(error: unknown): string {
  const said = typeof error === 'object' && error !== null && 'stderr' in error ? error.stderr : '';
  return String(said).trim() === '' ? systemErrorOf(error).message : String(said).trim();
}

async function refuseOtherVersion(dataFolder: string, native: string): Promise<void> {
  const folderMajor = readFileSync(join(dataFolder, 'PG_VERSION'), 'utf8').trim();
  const { stdout } = await run(join(native, 'bin/postgres'), ['--version']);
  const serverMajor = /(\d+)/.exec(stdout)?.[1];
  if (serverMajor !== folderMajor)
    throw new MillraceError(
      'MR-A209',
      `${dataFolder} was made by PostgreSQL ${folderMajor}, this one is ${serverMajor}`,
    );
}

async function launch(
  options: EmbeddedPostgresOptions,
  native: string,
  user: SystemUser | undefined,
): Promise<{ readonly child: ChildProcess; readonly pid: number }> {
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(options.port),
    unix_socket_directories: socketFolderOf(options) ?? '',
    wal_level: 'logical',
    max_connections: '200',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(options.durable === false
      ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }
      : {}),
    ...options.settings,
  };
  const server = {
    command: join(native, 'bin/postgres'),
    args: [
      '-D',
      options.dataFolder,
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    user,
    logFile: options.logFile,
  };
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    const child = startServer(server);
    const failure = await waitUntilReady(
      child,
      server,
      () => isReady(options.dataFolder, child.pid),
      START_TIMEOUT_MS,
    );
    if (failure === undefined && child.pid !== undefined) return { child, pid: child.pid };
    // The backends of a killed postmaster need a moment to notice that it is gone.
    const mayClear = INTERRUPTED_FOLDER_HELD.test(logTail(options.logFile));
    if (!mayClear || performance.now() > deadline)
      throw new MillraceError('MR-A210', `PostgreSQL: ${failure}`);
    await sleep(200);
  }
}

/** Line 8 of the pid file is how pg_ctl asks, too; it costs no login. */
function isReady(dataFolder: string, pid: number | undefined): boolean {
  try {
    const lines = readFileSync(join(dataFolder, 'postmaster.pid'), 'utf8').split('\n');
    return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
  } catch {
    return false;
  }
}
