import pg from 'pg';

/**
 * `work`: something for schedulers and workers (an instance is ready, a request waits, a stop was asked).
 * `news`: something for those who look on (events, run logs, answers). Apart, because a log that grows
 * four times a second must not make every worker ask for work.
 */
export const WAKE_TOPICS = ['work', 'news'] as const;
export type WakeTopic = (typeof WAKE_TOPICS)[number];

const COALESCE_MS = 20;
const RECONNECT_MS = 500;

/**
 * "Something changed: look." A hint without content, sent after commits and never inside them: a NOTIFY
 * in the finishing transaction serialises commits (engine rule 6). At once on the leading edge, then at
 * most once in 20 ms for each process, one after the other. Every loop also polls, so a lost hint costs
 * time, never work.
 */
export class WakeBus implements AsyncDisposable {
  readonly #url: string;
  readonly #listeners: Readonly<Record<WakeTopic, Set<() => void>>> = {
    work: new Set(),
    news: new Set(),
  };
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #waiting = new Set<WakeTopic>();
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
  subscribe(topic: WakeTopic, listener: () => void): () => void {
    this.#listeners[topic].add(listener);
    return () => this.#listeners[topic].delete(listener);
  }

  /** Tells every process that there is something to look at. Call it after the commit. */
  wake(...topics: readonly WakeTopic[]): void {
    for (const topic of topics.length === 0 ? WAKE_TOPICS : topics) {
      this.#emit(topic);
      this.#waiting.add(topic);
    }
    if (this.#timer === undefined) this.#send();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#reconnect);
    for (const topic of WAKE_TOPICS) this.#listeners[topic].clear();
    await this.#client?.end().catch(() => undefined);
  }

  #emit(topic: WakeTopic): void {
    for (const listener of this.#listeners[topic]) listener();
  }

  #send(): void {
    const statements = [...this.#waiting].map((topic) => `NOTIFY ${channelOf(topic)}`);
    this.#waiting.clear();
    // Failing is allowed: the listeners poll, and the connection is being made again.
    const sent = this.#client?.query(statements.join(';')).catch(() => undefined);
    const next = async (): Promise<void> => {
      // Behind a slow one they would queue up, each later than the one before.
      await sent;
      this.#timer = undefined;
      if (this.#waiting.size > 0 && !this.#closed) this.#send();
    };
    this.#timer = setTimeout(() => void next(), COALESCE_MS);
    this.#timer.unref();
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
      this.#reconnectLater();
    };
    client.on('error', lost);
    client.on('end', lost);
    client.on('notification', ({ channel }) => {
      for (const topic of WAKE_TOPICS) if (channelOf(topic) === channel) this.#emit(topic);
    });
    try {
      await client.connect();
      await client.query(WAKE_TOPICS.map((topic) => `LISTEN ${channelOf(topic)}`).join(';'));
      this.#client = client;
      // Whatever happened while nobody listened is found by looking once.
      for (const topic of WAKE_TOPICS) this.#emit(topic);
    } catch {
      await client.end().catch(() => undefined);
      this.#reconnectLater();
    }
  }

  #reconnectLater(): void {
    if (this.#closed) return;
    clearTimeout(this.#reconnect);
    this.#reconnect = setTimeout(() => void this.#connect(), RECONNECT_MS);
    this.#reconnect.unref();
  }
}

function channelOf(topic: WakeTopic): string {
  return `millrace_${topic}`;
}
