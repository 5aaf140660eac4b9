import type { WriteContext } from '@millrace/sdk';
import type { PostgresSource } from './config.js';
import type { Session } from './session.js';
import { cancelOnAbort, openSession, tagOf } from './session.js';

/** The connections of one job, tagged with its attempt and cancelled when it is stopped. */
export class WriterSessions {
  readonly #ctx: WriteContext<PostgresSource>;
  readonly #open = new Map<Session, Disposable>();
  #main: Promise<Session> | undefined;

  constructor(ctx: WriteContext<PostgresSource>) {
    this.#ctx = ctx;
  }

  /** The one that publishes. */
  main(): Promise<Session> {
    this.#main ??= this.open(this.#ctx.takeConnection?.() as Promise<Session> | undefined);
    return this.#main;
  }

  async open(early?: Promise<Session>): Promise<Session> {
    const { dataSource, identity, signal } = this.#ctx;
    const session =
      (await early) ?? (await openSession(dataSource.config, 'data', tagOf(identity)));
    this.#open.set(session, cancelOnAbort(dataSource.config, session, signal));
    return session;
  }

  async close(session: Session): Promise<void> {
    this.#open.get(session)?.[Symbol.dispose]();
    this.#open.delete(session);
    await session.close();
  }

  async closeAll(): Promise<void> {
    await this.#main?.catch(() => undefined);
    await Promise.all([...this.#open.keys()].map((session) => this.close(session)));
  }
}
