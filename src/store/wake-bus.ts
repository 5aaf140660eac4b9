import pg from 'pg';

const CHANNEL = 'millrace_wake';
const COALESCE_MS = 20;
const RECONNECT_MS = 500;

/**
 * "Something changed: look." A hint without content, sent after commits and never inside them: a NOTIFY
 * in the finishing transaction serialises commits (engine rule 6). At once on the leading edge, then at
 * most once in 20 ms for each process. Every loop also polls, so a lost hint costs time, never work.
 */
export class WakeBus implements AsyncDisposable {
  readonly #url: string;
  readonly #listeners = new Set<() => void>();
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #again = false;
  #closed = false;
  #reconnect: NodeJS.Timeout | undefined;

  private constructor(url: string) {
    this.#url = url;
  }

  static async open(url: string): Promise<WakeBus> {
    const bus = new WakeBus(url);
    await bus.#connect();
    return bus;
  }

  /** Calls `listener` on every wake-up, this process's own included. Returns how to stop it. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells every process that there is something to look at. Call it after the commit. */
  wake(): void {
    this.#emit();
    if (this.#timer !== undefined) {
      this.#again = true;
      return;
    }
    this.#send();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.#again) return;
      this.#again = false;
      this.wake();
    }, COALESCE_MS);
    this.#timer.unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#reconnect);
    this.#listeners.clear();
    await this.#client?.end().catch(() => undefined);
  }

  #emit(): void {
    for (const listener of this.#listeners) listener();
  }

  #send(): void {
    // Failing is allowed: the listeners poll, and the connection is being made again.
    this.#client?.query(`NOTIFY ${CHANNEL}`).catch(() => undefined);
  }

  async #connect(): Promise<void> {
    if (this.#closed) return;
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: 'millrace wake',
      keepAlive: true,
    });
    const lost = (): void => {
      if (this.#client !== client) return;
      this.#client = undefined;
      if (this.#closed) return;
      this.#reconnect = setTimeout(() => void this.#connect(), RECONNECT_MS);
      this.#reconnect.unref();
    };
    client.on('error', lost);
    client.on('end', lost);
    client.on('notification', () => this.#emit());
    try {
      await client.connect();
      await client.query(`LISTEN ${CHANNEL}`);
      this.#client = client;
      // Whatever happened while nobody listened is found by looking once.
      this.#emit();
    } catch {
      await client.end().catch(() => undefined);
      if (this.#closed) return;
      this.#reconnect = setTimeout(() => void this.#connect(), RECONNECT_MS);
      this.#reconnect.unref();
    }
  }
}
