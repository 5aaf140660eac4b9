import { availableParallelism } from 'node:os';

import { AttemptThread } from './attempt-thread.js';

export interface ThreadPoolOptions {
  readonly entry: URL;
  readonly heapLimitBytes: number;
  /** Kept ready however long nothing runs. */
  readonly warm: number;
  /** Kept between attempts while there are many; the ones too many end after `idleMs` of quiet. */
  readonly kept: number;
  readonly idleMs: number;
}

/** How often it is looked at whether those that wait need more threads. */
const LOOK_MS = 25;
/** What a new thread costs. Where it saves less than that, nobody is served by one more. */
const START_MS = 250;
/** Starting one is work for a core: more at once would all be late, and late for those that run as well. */
const MAX_STARTING = availableParallelism();

/**
 * The threads of a worker, one for each attempt that runs. Every attempt gets one, however many run for hours;
 * a burst of short ones goes through a few.
 */
export class ThreadPool {
  readonly #options: ThreadPoolOptions;
  readonly #idle: AttemptThread[] = [];
  readonly #waiting: ((thread: AttemptThread) => void)[] = [];
  #busy = 0;
  #starting = 0;
  #late: NodeJS.Timeout | undefined;
  /** How many attempts have ended. */
  #ended = 0;
  /** Of the last while in which some wait. */
  #looks: { readonly at: number; readonly ended: number }[] = [];
  #trim: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: ThreadPoolOptions) {
    this.#options = options;
  }

  warmUp(): void {
    while (this.#idle.length < this.#options.warm) this.#idle.push(this.#newThread());
  }

  /** The caller says with {@link left} when its attempt has ended, however it did. */
  async take(): Promise<AttemptThread> {
    const thread = this.#idleThread();
    if (thread === undefined) return await this.#nextThread();
    this.#busy++;
    return thread;
  }

  /** The attempt has ended. */
  left(): void {
    this.#busy--;
    this.#ended++;
    // Whoever waited for this thread waits for one that has died.
    if (this.#waiting.length > 0) this.#growLater();
  }

  /** Takes a thread back whose attempt has ended in order. */
  giveBack(thread: AttemptThread): void {
    if (thread.isDead) return;
    if (this.#hand(thread)) return;
    thread.rest();
    const { warm, kept, idleMs } = this.#options;
    if (this.#isClosed || this.#idle.length >= Math.max(warm, kept)) {
      thread.kill();
      return;
    }
    this.#idle.push(thread);
    clearTimeout(this.#trim);
    this.#trim = setTimeout(() => {
      for (const idle of this.#idle.splice(warm)) idle.kill();
    }, idleMs).unref();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#trim);
    clearTimeout(this.#late);
    for (const thread of this.#idle.splice(0)) thread.kill();
  }

  /** To the attempt that waits longest, which counts as running from now on. */
  #hand(thread: AttemptThread): boolean {
    const next = this.#waiting.shift();
    if (next === undefined) return false;
    this.#busy++;
    next(thread);
    return true;
  }

  #newThread(): AttemptThread {
    return new AttemptThread(this.#options.entry, this.#options.heapLimitBytes);
  }

  #idleThread(): AttemptThread | undefined {
    for (;;) {
      const thread = this.#idle.pop();
      if (thread === undefined || !thread.isDead) return thread;
    }
  }

  async #nextThread(): Promise<AttemptThread> {
    return await new Promise((resolve) => {
      // What was seen before nobody waited is of another burst.
      if (this.#waiting.push(resolve) === 1) this.#looks = [];
      this.#growLater();
    });
  }

  #growLater(): void {
    if (this.#busy === 0) {
      this.#grow();
      return;
    }
    if (this.#late !== undefined) return;
    if (this.#looks.length === 0) this.#look();
    this.#late = setTimeout(() => {
      this.#late = undefined;
      if (this.#waiting.length === 0) return;
      this.#look();
      // A thousand attempts of a millisecond once started a hundred threads, each slower than all of them.
      if (this.#savedMs() < START_MS) this.#growLater();
      else this.#grow();
    }, LOOK_MS);
  }

  #look(): void {
    const at = performance.now();
    this.#looks.push({ at, ended: this.#ended });
    while ((this.#looks[1]?.at ?? at) <= at - START_MS) this.#looks.shift();
  }

  /**
   * How much sooner those that wait would all be served with one thread more, as fast as the others have been for
   * as long as it takes to start one. A shorter while tells little: the first attempts of a thread have its code to
   * load, and while hundreds are taken up nothing ends.
   */
  #savedMs(): number {
    const [first, last] = [this.#looks.at(0), this.#looks.at(-1)];
    if (first === undefined || last === undefined || last.at - first.at < START_MS) return 0;
    const waitMs = (this.#waiting.length / (last.ended - first.ended)) * (last.at - first.at);
    return waitMs / (this.#busy + 1);
  }

  #grow(): void {
    while (this.#starting < Math.min(MAX_STARTING, this.#waiting.length)) {
      this.#starting++;
      const thread = this.#newThread();
      thread.hold();
      void thread.ready.then(() => {
        this.#starting--;
        // A dead one too: what it died of is for its attempt to say, or it would be started for ever.
        if (!this.#hand(thread)) this.giveBack(thread);
        if (this.#waiting.length > 0) this.#growLater();
      });
    }
  }
}
