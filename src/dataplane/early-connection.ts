import type { JobContext, WriterPlugin } from '@millrace/sdk';

/** A server may end a connection that says nothing for long. */
const MAX_IDLE_MS = 5000;

/**
 * The connection to the target, opened while the source is still being looked at: one after the other they take
 * as long as all else that a small job does.
 */
export class EarlyConnection implements AsyncDisposable {
  readonly #begun = performance.now();
  #connection: Promise<AsyncDisposable> | undefined;

  constructor(writer: WriterPlugin, context: JobContext<never>) {
    this.#connection = writer.connect?.(context);
    // Who takes it hears of it; who does not opens one, and hears of that.
    this.#connection?.catch(() => undefined);
  }

  /** Once; whoever has it closes it. */
  take(): Promise<AsyncDisposable> | undefined {
    const connection = this.#connection;
    this.#connection = undefined;
    if (performance.now() - this.#begun <= MAX_IDLE_MS) return connection;
    void closed(connection);
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await closed(connection);
  }
}

async function closed(connection: Promise<AsyncDisposable> | undefined): Promise<void> {
  const opened = await connection?.catch(() => undefined);
  await opened?.[Symbol.asyncDispose]();
}
