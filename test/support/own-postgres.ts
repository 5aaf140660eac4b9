import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort } from '../../src/embedded/free-port.js';
import {
  type EmbeddedPostgresOptions,
  EmbeddedPostgresServer,
} from '../../src/embedded/postgres-server.js';
import type { TestServer } from './test-server.js';

/** A server that one test alone uses: it may be stopped and killed. Its database is `millrace`. */
export class OwnPostgres implements AsyncDisposable {
  server: EmbeddedPostgresServer;
  readonly #options: EmbeddedPostgresOptions;
  /** Of its own; the server's account can get in. */
  readonly folder: string;

  private constructor(
    server: EmbeddedPostgresServer,
    options: EmbeddedPostgresOptions,
    folder: string,
  ) {
    this.server = server;
    this.#options = options;
    this.folder = folder;
  }

  static async start(): Promise<OwnPostgres> {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-restart-'));
    // The server has an account of its own and has to get in.
    await chmod(folder, 0o755);
    const options: EmbeddedPostgresOptions = {
      dataFolder: join(folder, 'postgres'),
      port: await freePort(),
      password: randomBytes(12).toString('hex'),
      logFile: join(folder, 'postgres.log'),
      databases: ['millrace'],
      durable: false,
      // What it has said is committed has to survive its own death, if not the machine's.
      settings: { synchronous_commit: 'on', full_page_writes: 'on' },
    };
    return new OwnPostgres(await EmbeddedPostgresServer.start(options), options, folder);
  }

  get dataFolder(): string {
    return this.#options.dataFolder;
  }

  get login(): TestServer {
    const { host, port, user, password } = this.server;
    return { kind: 'postgres', name: 'postgres', host, port, user, password };
  }

  get url(): string {
    return this.server.url('millrace');
  }

  /** `kill -9` to the whole server: nothing is flushed, the next start replays its log. */
  kill(): void {
    process.kill(this.server.pid, 'SIGKILL');
  }

  async startAgain(): Promise<void> {
    this.server = await EmbeddedPostgresServer.start(this.#options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
