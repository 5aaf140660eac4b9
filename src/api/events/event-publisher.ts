import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';

import {
  EVENTS_AT_ONCE,
  hasEventsToPublish,
  publishEvents,
} from '../../store/sql/publish-events.sql.js';
import { API_PORTS, type ApiPorts, type LoopHealth } from '../ports.js';

/** Whoever writes events wakes it: this is for one that was killed before it could. */
const POLL_MS = 5_000;
const MAX_BACKOFF_MS = 5_000;
/**
 * What is told of the same moment shares a transaction, and no eye sees the difference: the first of it goes at
 * once. At 25 ms each of these commits stood before those of claims and reports.
 */
const PACE_MS = 100;

/** Numbers committed events, in every api process: the counter's lock lets one at a time do it. */
@Injectable()
export class EventPublisher implements OnApplicationBootstrap, OnApplicationShutdown {
  #lastSuccessAt: Date | undefined;
  #stopped = false;
  #wake: () => void = () => undefined;
  #awake = false;
  #loop: Promise<void> | undefined;
  #unsubscribe: () => void = () => undefined;

  constructor(@Inject(API_PORTS) private readonly ports: ApiPorts) {}

  health(): LoopHealth {
    return { name: 'event publisher', lastSuccessAt: this.#lastSuccessAt };
  }

  onApplicationBootstrap(): void {
    this.#unsubscribe = this.ports.wakeBus.subscribe('news', () => {
      this.#awake = true;
      this.#wake();
    });
    this.#loop = this.#run();
  }

  async onApplicationShutdown(): Promise<void> {
    this.#stopped = true;
    this.#unsubscribe();
    this.#wake();
    await this.#loop;
  }

  async #run(): Promise<void> {
    let backoffMs = 100;
    while (!this.#stopped) {
      try {
        const { database } = this.ports;
        const isDue = this.#awake || (await hasEventsToPublish(database));
        this.#awake = false;
        const moved = isDue ? await publishEvents(database) : 0;
        this.#lastSuccessAt = new Date();
        backoffMs = 100;
        if (moved > 0) this.ports.wakeBus.wake('news');
        if (moved < EVENTS_AT_ONCE) await this.#pause();
        // Not on our own wake-up: a batch that was not full has left nothing behind.
        if (moved === 0 && !this.#awake) await this.#sleep(POLL_MS);
      } catch (error) {
        const name = error instanceof Error ? error.name : 'unknown';
        this.ports.logger.error({ loop: 'event publisher', error: name }, 'events wait');
        await this.#sleep(backoffMs);
        backoffMs = Math.min(backoffMs * 2, MAX_BACKOFF_MS);
      }
    }
  }

  async #pause(): Promise<void> {
    if (!this.#stopped) await new Promise((resolve) => setTimeout(resolve, PACE_MS));
  }

  async #sleep(ms: number): Promise<void> {
    if (this.#stopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = () => undefined;
  }
}
