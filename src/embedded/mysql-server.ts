import { execFile, type ChildProcess } from 'node:child_process';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { MillraceError } from '../domain/errors.js';
import { mariadbInstaller, type MysqlBinary } from './mysql-binary.js';
import { endProcess, hasEnded, isServerOf, startServer, waitUntilReady } from './server-process.js';
import { systemErrorOf } from './system-error.js';
import { canEnter, serverUserOf, type SystemUser } from './system-user.js';

const run = promisify(execFile);

export interface PrivateMysqlDatabase {
  readonly name: string;
  readonly user: string;
  readonly password: string;
  /** `CREATE TABLE IF NOT EXISTS …`, run in it at every start; one line each. */
  readonly tables?: readonly string[];
}

export interface PrivateMysqlOptions {
  readonly binary: MysqlBinary;
  /** Made on the first start. */
  readonly dataFolder: string;
  readonly port: number;
  readonly logFile: string;
  /** Of `root`; set at every start. Empty or absent: login without password. */
  readonly password?: string;
  /** Databases to be made, each with an account that may do everything in it and nothing elsewhere. */
  readonly databases?: readonly PrivateMysqlDatabase[];
  /** More `--name=value` settings; they win over ours. */
  readonly settings?: Readonly<Record<string, string>>;
  /** `false` for data nobody will miss (tests): no flush per commit. Default true. */
  readonly durable?: boolean;
}

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;

/** A private MariaDB or MySQL: 127.0.0.1 only, row binlog with full images, GTIDs on MySQL. */
export class PrivateMysqlServer implements AsyncDisposable {
  readonly host = '127.0.0.1';
  readonly user = 'root';
  readonly port: number;
  readonly password: string;
  readonly binary: MysqlBinary;
  readonly pid: number;
  readonly #dataFolder: string;
  readonly #child: ChildProcess;

  private constructor(options: PrivateMysqlOptions, child: ChildProcess, pid: number) {
    this.port = options.port;
    this.password = options.password ?? '';
    this.binary = options.binary;
    this.pid = pid;
    this.#dataFolder = options.dataFolder;
    this.#child = child;
  }

  /**
   * Initialises the data folder if it is new, ends a server that a killed parent left in it, and
   * starts. @throws MR-A204 incomplete folder, MR-A210 no start
   */
  static async start(options: PrivateMysqlOptions): Promise<PrivateMysqlServer> {
    const user = serverUserOf(['mysql']);
    const home = dirname(options.dataFolder);
    mkdirSync(home, { recursive: true, mode: 0o755 });
    if (!canEnter(home, user))
      throw new MillraceError('MR-A202', `${home}: the user ${user?.name} cannot enter it`);
    await endOrphanMysql(options.dataFolder);
    if (!existsSync(options.dataFolder)) await initialise(options, user);
    if (!existsSync(join(options.dataFolder, 'ibdata1')))
      throw new MillraceError('MR-A204', options.dataFolder);
    const { child, pid } = await launch(options, user);
    return new PrivateMysqlServer(options, child, pid);
  }

  isRunning(): boolean {
    return !hasEnded(this.#child);
  }

  async stop(): Promise<void> {
    if (!isServerOf(this.pid, this.#dataFolder)) return;
    if (await endProcess(this.pid, 'SIGTERM', this.#dataFolder, STOP_TIMEOUT_MS)) return;
    await endProcess(this.pid, 'SIGKILL', this.#dataFolder, STOP_TIMEOUT_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Ends the server that a killed parent left in this data folder; its port is free then. True if one lived. */
export async function endOrphanMysql(dataFolder: string): Promise<boolean> {
  const pidFile = join(dataFolder, 'server.pid');
  if (!existsSync(pidFile)) return false;
  const pid = Number.parseInt(readFileSync(pidFile, 'utf8'), 10);
  if (!isServerOf(pid, dataFolder)) return false;
  await endProcess(pid, 'SIGTERM', dataFolder, STOP_TIMEOUT_MS);
  return true;
}

async function initialise(
  options: PrivateMysqlOptions,
  user: SystemUser | undefined,
): Promise<void> {
  // Built beside its place and renamed: a first start that is killed leaves nothing half-made there.
  const building = `${options.dataFolder}.building`;
  rmSync(building, { recursive: true, force: true });
  mkdirSync(building, { mode: 0o700 });
  if (user !== undefined) chownSync(building, user.uid, user.gid);
  const tmpdir = makeTmpdir(options, user);
  const [command, args] = installCommand(options.binary, building);
  try {
    await run(command, args, {
      cwd: '/',
      env: { PATH: `${process.env['PATH']}:/usr/sbin`, LC_ALL: 'C', TZ: 'UTC', TMPDIR: tmpdir },
      ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
    });
    renameSync(building, options.dataFolder);
  } catch (cause) {
    const { message } = systemErrorOf(cause);
    throw new MillraceError('MR-A210', `${options.binary.path}: ${message}`, { cause });
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
}

/** Its own: a MariaDB that starts removes what begins with `#sql` from its tmpdir, also of others that use /tmp. */
function makeTmpdir({ dataFolder }: PrivateMysqlOptions, user: SystemUser | undefined): string {
  const folder = `${dataFolder}.tmp`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o700 });
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  return folder;
}

function installCommand(binary: MysqlBinary, folder: string): [command: string, args: string[]] {
  if (binary.flavour === 'mysql')
    return [binary.path, ['--no-defaults', `--datadir=${folder}`, '--initialize-insecure']];
  const installer = mariadbInstaller(binary);
  if (installer === undefined)
    throw new MillraceError('MR-A210', `${binary.path}: mariadb-install-db is not installed`);
  const how = ['--auth-root-authentication-method=normal', '--skip-test-db'];
  return [installer, ['--no-defaults', `--datadir=${folder}`, ...how]];
}

async function launch(
  options: PrivateMysqlOptions,
  user: SystemUser | undefined,
): Promise<{ readonly child: ChildProcess; readonly pid: number }> {
  const accounts = writeAccounts(options, user);
  const flush = options.durable === false ? '0' : '1';
  const settings: Record<string, string> = {
    datadir: options.dataFolder,
    tmpdir: makeTmpdir(options, user),
    port: String(options.port),
    'bind-address': '127.0.0.1',
    socket: join(options.dataFolder, 's.sock'),
    'pid-file': join(options.dataFolder, 'server.pid'),
    'init-file': accounts,
    'log-bin': 'binlog',
    'binlog-format': 'ROW',
    'binlog-row-image': 'FULL',
    'binlog-row-metadata': 'FULL',
    'server-id': '1',
    'innodb-flush-log-at-trx-commit': flush,
    'sync-binlog': flush,
    'character-set-server': 'utf8mb4',
    ...(options.binary.flavour === 'mysql'
      ? { 'gtid-mode': 'ON', 'enforce-gtid-consistency': 'ON', mysqlx: 'OFF' }
      : { 'gtid-strict-mode': '1' }),
    ...options.settings,
  };
  const server = {
    command: options.binary.path,
    args: [
      '--no-defaults',
      ...Object.entries(settings).map(([name, value]) => `--${name}=${value}`),
    ],
    user,
    logFile: options.logFile,
  };
  try {
    const child = startServer(server);
    const failure = await waitUntilReady(
      child,
      server,
      async () => await greets(options.port, child),
      START_TIMEOUT_MS,
    );
    if (failure !== undefined || child.pid === undefined)
      throw new MillraceError('MR-A210', `${options.binary.path}: ${failure}`);
    return { child, pid: child.pid };
  } finally {
    rmSync(accounts, { force: true });
  }
}

/** The password travels in a file only the server's account can read: an argument is visible to all. */
function writeAccounts(options: PrivateMysqlOptions, user: SystemUser | undefined): string {
  const file = `${options.dataFolder}.accounts.sql`;
  const password = escaped(options.password ?? '');
  // Both names, because a machine without a reverse entry for 127.0.0.1 does not call it localhost.
  const statements = ['localhost', '127.0.0.1'].flatMap((host) => [
    `CREATE USER IF NOT EXISTS 'root'@'${host}';`,
    `ALTER USER 'root'@'${host}' IDENTIFIED BY '${password}';`,
    `GRANT ALL PRIVILEGES ON *.* TO 'root'@'${host}' WITH GRANT OPTION;`,
  ]);
  for (const database of options.databases ?? []) {
    const account = `'${escaped(database.user)}'@'%'`;
    const name = `\`${database.name.replaceAll('`', '``')}\``;
    statements.push(
      `CREATE DATABASE IF NOT EXISTS ${name};`,
      `CREATE USER IF NOT EXISTS ${account};`,
      `ALTER USER ${account} IDENTIFIED BY '${escaped(database.password)}';`,
      `GRANT ALL PRIVILEGES ON ${name}.* TO ${account};`,
      ...(database.tables === undefined ? [] : [`USE ${name};`]),
      ...(database.tables ?? []).map((table) => `${table.replaceAll(/\s+/g, ' ')};`),
    );
  }
  rmSync(file, { force: true });
  writeFileSync(file, `${statements.join('\n')}\n`, { mode: 0o600, flag: 'wx' });
  if (user !== undefined) chownSync(file, user.uid, user.gid);
  return file;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll("'", "''");
}

/** True once the server sends its greeting; MySQL listens only after the init file has run. */
async function greets(port: number, child: ChildProcess): Promise<boolean> {
  if (hasEnded(child)) return false;
  return await new Promise<boolean>((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 2000 });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', (greeting) => end(greeting.length > 5 && greeting[4] !== 0xff));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
    socket.once('close', () => end(false));
  });
}
