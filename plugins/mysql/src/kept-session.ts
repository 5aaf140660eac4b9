import type { JobContext } from '@millrace/sdk';

import { cancelOnAbort } from './cancel-on-abort.js';
import type { MysqlConfig } from './config.js';
import type { Session } from './session.js';

/**
 * One connection for all that a job asks: opened when it is first wanted, because to open one takes longer than
 * to ask, and ended on the server when the job is stopped.
 */
export class KeptSession {
  readonly #ctx: JobContext<MysqlConfig>;
  readonly #open: (ctx: JobContext<MysqlConfig>) => Promise<Session>;
  #kept: Promise<{ readonly session: Session; readonly cancel: AsyncDisposable }> | undefined;

  constructor(
    ctx: JobContext<MysqlConfig>,
    open: (ctx: JobContext<MysqlConfig>) => Promise<Session>,
  ) {
    this.#ctx = ctx;
    this.#open = open;
  }

  async get(): Promise<Session> {
    const { dataSource, signal } = this.#ctx;
    this.#kept ??= this.#open(this.#ctx).then((session) => ({
      session,
      cancel: cancelOnAbort(session, dataSource.config, signal),
    }));
    return (await this.#kept).session;
  }

  /** The connection is the caller's from now on. Whoever asks later gets a new one. */
  async take(): Promise<Session> {
    const session = await this.get();
    const kept = await this.#kept;
    this.#kept = undefined;
    await kept?.cancel[Symbol.asyncDispose]();
    return session;
  }

  /** Whoever asks later gets a new one. */
  async close(): Promise<void> {
    const kept = await this.#kept?.catch(() => undefined);
    this.#kept = undefined;
    await kept?.session.close();
    await kept?.cancel[Symbol.asyncDispose]();
  }
}
