import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort } from '../../src/embedded/free-port.js';
import { findMysqlBinary } from '../../src/embedded/mysql-binary.js';
import { PrivateMysqlServer, type PrivateMysqlOptions } from '../../src/embedded/mysql-server.js';
import { unpackedMysql97 } from './mysql97.mjs';
import type { TestServer } from './test-server.js';

/** A MariaDB or MySQL that one test alone uses: it may be killed, and has its own settings. */
export class OwnMysql implements AsyncDisposable {
  server: PrivateMysqlServer;
  readonly #options: PrivateMysqlOptions;
  /** Of its own; the server's account can get in. */
  readonly folder: string;
  readonly #name: TestServer['name'];

  private constructor(
    server: PrivateMysqlServer,
    options: PrivateMysqlOptions,
    folder: string,
    name: TestServer['name'],
  ) {
    this.#name = name;
    this.server = server;
    this.#options = options;
    this.folder = folder;
  }

  static async start(
    settings: Readonly<Record<string, string>>,
    name: TestServer['name'] = 'mariadb',
  ): Promise<OwnMysql> {
    const binary = await findMysqlBinary(name === 'mysql97' ? unpackedMysql97() : undefined);
    if (binary === undefined) throw new Error(`no ${name} on this machine`);
    const folder = await mkdtemp(join(tmpdir(), 'millrace-restart-'));
    // The server has an account of its own and has to get in.
    await chmod(folder, 0o755);
    const options: PrivateMysqlOptions = {
      binary,
      dataFolder: join(folder, 'mysql'),
      port: await freePort(),
      password: randomBytes(12).toString('hex'),
      logFile: join(folder, 'mysql.log'),
      // What it has said is committed has to survive its own death.
      settings: {
        'innodb-buffer-pool-size': '64M',
        // Where MySQL may have tables outside of its data folder; MariaDB may everywhere.
        'loose-innodb-directories': folder,
        ...settings,
      },
    };
    return new OwnMysql(await PrivateMysqlServer.start(options), options, folder, name);
  }

  get dataFolder(): string {
    return this.#options.dataFolder;
  }

  get login(): TestServer {
    const { host, port, user, password } = this.server;
    return { kind: 'mysql', name: this.#name, host, port, user, password };
  }

  /** `kill -9` to the whole server. */
  kill(): void {
    process.kill(this.server.pid, 'SIGKILL');
  }

  async startAgain(): Promise<void> {
    this.server = await PrivateMysqlServer.start(this.#options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
