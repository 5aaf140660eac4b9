import { setTimeout as sleep } from 'node:timers/promises';

import { ERRORS } from '../domain/error-registry.js';
import { MillraceError, registeredCodeOf } from '../domain/errors.js';
import type { PluginHost } from '../plugin-host/plugin-host.js';
import { SYNC_NODE_TYPE } from '../plugin-host/plugin-host.js';
import { gatheringLink } from '../worker-link/gathering-link.js';
import type { AttemptRef, Claim, WorkerLink } from '../worker-link/worker-link.js';
import { LINK_PROTOCOL } from '../worker-link/worker-link.js';
import type { AttemptHost } from './attempt/attempt-host.js';
import { ControlLoop } from './control-loop.js';
import { InstanceRunner } from './instance-runner.js';
import { reachableAddresses } from './reachable-addresses.js';
import { runRequest } from './request-runner.js';

export interface WorkerLogger {
  info(fields: Record<string, unknown>, text: string): void;
  warn(fields: Record<string, unknown>, text: string): void;
}

export interface WorkerOptions {
  readonly link: WorkerLink;
  readonly name: string;
  readonly resourceGroup: string;
  readonly capacity: number;
  readonly labels: readonly string[];
  readonly plugins: PluginHost;
  readonly host: AttemptHost;
  readonly renewMs: number;
  /** Without renewal for so long, attempts that no target fences are stopped (engine: fence). */
  readonly stopMs: number;
  readonly logger: WorkerLogger;
  readonly now: () => Date;
  readonly crashPoint: (name: string, instance?: string) => Promise<void>;
}

const NO_ANSWER = 'the link does not answer; trying again';
const MAX_STRANGERS = 100;
const POLL_WAIT_MS = 20_000;
const MAX_REQUESTS = 2;
const MAX_ROOM_MS = 20;
const MAX_BACKOFF_MS = 5000;
const MIN_BACKOFF_MS = 50;
/** How long a worker that ends tries to give its attempts back; their lease sees to the rest. */
const GIVE_BACK_MS = 8000;

/** Takes instances of one resource group, runs them and reports: claim, run, renew, finish. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #running = new Map<string, InstanceRunner>();
  readonly #ending = new AbortController();
  readonly #control: ControlLoop;
  /** Attempts to be stopped that this worker does not have. */
  #strangers: readonly AttemptRef[] = [];
  #requests = 0;
  #workerId = 0;
  /** The link of all its attempts together. */
  #attemptLink: WorkerLink;
  #loops: Promise<unknown> = Promise.resolve();
  #lastPoll: number | undefined;
  /** Ends the present poll, so that the next one tells the new number of free places. */
  #endPoll: (() => void) | undefined;
  /** An attempt has ended. */
  #onEnd: (() => void) | undefined;
  #polledFree = 0;
  #polledFreeRequests = 0;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#attemptLink = options.link;
    this.#control = new ControlLoop({
      link: options.link,
      workerId: () => this.#workerId,
      running: () => [...this.#running.values()],
      onFailure: (error) =>
        options.logger.warn({ reason: reasonOf(error) }, 'running syncs were told nothing new'),
    });
  }

  /** Milliseconds since the link last answered; `undefined` before the first time. */
  get sinceSuccessMs(): number | undefined {
    return this.#lastPoll === undefined ? undefined : performance.now() - this.#lastPoll;
  }

  async start(): Promise<void> {
    await this.#register();
    this.#options.host.warmUp();
    this.#loops = Promise.all([
      this.#pollLoop(),
      this.#renewLoop(),
      this.#control.run(this.#ending.signal),
    ]);
  }

  /** Gives what is running back to the queue and says goodbye; within some seconds also without a link. */
  async stop(): Promise<void> {
    this.#ending.abort();
    this.#endPoll?.();
    const runners = [...this.#running.values()];
    for (const runner of runners) runner.stop('shutdown');
    const ended = Promise.all(runners.map((runner) => runner.done));
    // Where the link is gone for good (the whole installation was killed) there is nobody to give it to.
    const late = setTimeout(() => {
      for (const runner of this.#running.values()) runner.stop('lost');
    }, GIVE_BACK_MS);
    await ended;
    clearTimeout(late);
    await this.#loops;
    await this.#options.host.close('shutdown');
    await this.#options.link.goodbye(this.#workerId).catch(() => undefined);
  }

  async #register(): Promise<void> {
    const { link, plugins, logger } = this.#options;
    const start = performance.now();
    let said: string | undefined;
    for (;;) {
      try {
        const { workerId, protocol = 1 } = await link.register({
          name: this.#options.name,
          resourceGroup: this.#options.resourceGroup,
          protocol: LINK_PROTOCOL,
          capacity: this.#options.capacity,
          nodeTypes: [SYNC_NODE_TYPE, ...plugins.types('node')],
          dataSourceTypes: plugins.types('dataSource'),
          plugins: plugins.versions(),
          addresses: reachableAddresses(),
          labels: this.#options.labels,
        });
        if (protocol < LINK_PROTOCOL) throw new MillraceError('MR-A208', olderApi(protocol));
        this.#workerId = workerId;
        this.#attemptLink = gatheringLink(link, workerId);
        logger.info({ workerId }, 'registered');
        return;
      } catch (error) {
        if (this.#ending.signal.aborted) throw error;
        const reason = reasonOf(error);
        // Said once: at every start the workers are ready before their api.
        if (reason !== said) logger.warn(failureFields(error), NO_ANSWER);
        said = reason;
        // Never more than a tenth on top of what it has waited: doubling made a start a second longer.
        const waitedMs = performance.now() - start;
        await sleep(Math.min(MAX_BACKOFF_MS, Math.max(MIN_BACKOFF_MS, waitedMs / 10)));
      }
    }
  }

  async #pollLoop(): Promise<void> {
    const { link, logger } = this.#options;
    const maxBackoffMs = this.#maxBackoffMs();
    let delayMs = 100;
    let isMoreThere = false;
    while (!this.#ending.signal.aborted) {
      if (isMoreThere) await this.#room();
      isMoreThere = false;
      const poll = new AbortController();
      this.#endPoll = () => poll.abort();
      this.#polledFree = this.#free();
      this.#polledFreeRequests = Math.max(0, MAX_REQUESTS - this.#requests);
      try {
        const answer = await link.poll(
          {
            workerId: this.#workerId,
            free: this.#polledFree,
            freeRequests: this.#polledFreeRequests,
            stopping: [...this.#running.values()]
              .filter((runner) => runner.isStopping)
              .map((runner) => runner.ref)
              .concat(this.#strangers),
            waitMs: POLL_WAIT_MS,
          },
          poll.signal,
        );
        this.#lastPoll = performance.now();
        delayMs = 100;
        for (const stop of answer.stops) this.#stop(stop);
        for (const claim of answer.claims) this.#run(claim);
        isMoreThere = answer.claims.length > 0 && answer.claims.length === this.#polledFree;
        for (const request of answer.requests) void this.#answer(request);
      } catch (error) {
        if (poll.signal.aborted) continue;
        logger.warn(failureFields(error), NO_ANSWER);
        await sleep(delayMs, undefined, { signal: this.#ending.signal }).catch(() => undefined);
        delayMs = Math.min(maxBackoffMs, delayMs * 2);
      }
    }
  }

  /**
   * Until half of its places are free, and not for long: where more waits than it has places for, to ask for
   * each that becomes free costs a claim of its own.
   */
  async #room(): Promise<void> {
    const half = Math.ceil(this.#options.capacity / 2);
    if (this.#free() >= half) return;
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, MAX_ROOM_MS);
      this.#onEnd = () => {
        if (this.#free() < half) return;
        clearTimeout(late);
        resolve();
      };
    });
  }

  async #renewLoop(): Promise<void> {
    const { link, logger, renewMs, stopMs } = this.#options;
    let renewedAt = performance.now();
    // It goes on after the end was asked for: what is being given back must stay ours until it is.
    while (!this.#ending.signal.aborted || this.#running.size > 0) {
      const cut = this.#running.size > 0 ? {} : { signal: this.#ending.signal };
      await sleep(renewMs, undefined, cut).catch(() => undefined);
      const sentAt = performance.now();
      try {
        // A link that hangs is a link that does not answer: what it carries must be stopped in time.
        const { lost } = await within(
          Math.max(renewMs, renewedAt + stopMs - sentAt),
          link.renew({
            workerId: this.#workerId,
            attempts: [...this.#running.values()].map((runner) => ({
              ...runner.ref,
              ...(runner.progress === undefined ? {} : { progress: runner.progress }),
            })),
          }),
        );
        renewedAt = sentAt;
        for (const ref of lost) this.#running.get(keyOf(ref))?.stop('lost');
      } catch (error) {
        logger.warn({ err: error }, 'the lease was not renewed');
        if (performance.now() - renewedAt < stopMs) continue;
        for (const runner of this.#running.values()) {
          if (!runner.isFenced) runner.stop('no-renewal');
        }
      }
    }
  }

  /** It asks at least as often as it renews: a lease it has kept is of no use while it does not work. */
  #maxBackoffMs(): number {
    return Math.min(MAX_BACKOFF_MS, this.#options.renewMs);
  }

  #stop(ref: AttemptRef): void {
    const runner = this.#running.get(keyOf(ref));
    // Its claim was lost on the way and goes back by itself: being told of it again and again until then
    // would make this loop spin.
    if (runner === undefined) this.#strangers = [...this.#strangers, ref].slice(-MAX_STRANGERS);
    else runner.stop('stop');
  }

  #free(): number {
    return Math.max(0, this.#options.capacity - this.#running.size);
  }

  #run(claim: Claim): void {
    const { name, plugins, host, now, crashPoint, logger } = this.#options;
    const runner: InstanceRunner = new InstanceRunner(claim, {
      link: this.#attemptLink,
      workerId: this.#workerId,
      workerName: name,
      plugins,
      host,
      now,
      maxRetryMs: this.#maxBackoffMs(),
      crashPoint,
      onStart: () => {
        if (claim.nodeType === SYNC_NODE_TYPE) this.#control.started(runner);
      },
    });
    const key = keyOf(claim);
    this.#running.set(key, runner);
    logger.info(logFields(claim), 'attempt claimed');
    void runner.done.then(() => {
      this.#running.delete(key);
      this.#onEnd?.();
      logger.info(logFields(claim), 'attempt ended');
      // A full worker polls for stops alone: tell the link at once that there is room again.
      if (this.#polledFree === 0) this.#endPoll?.();
    });
  }

  async #answer(request: Parameters<typeof runRequest>[0]): Promise<void> {
    const { link, plugins, host, now, logger } = this.#options;
    this.#requests++;
    try {
      await runRequest(request, { link, workerId: this.#workerId, plugins, host, now });
    } catch (error) {
      logger.warn({ err: error, requestId: request.id }, 'a request could not be run');
    }
    this.#requests--;
    // A poll that asked for none goes on for seconds, and the next user waits before a screen.
    if (this.#polledFreeRequests === 0) this.#endPoll?.();
  }
}

async function within<T>(ms: number, answer: Promise<T>): Promise<T> {
  const limit = new AbortController();
  try {
    return await Promise.race([
      answer,
      sleep(ms, undefined, { signal: limit.signal }).then(() => {
        throw new Error(`no answer within ${ms} ms`);
      }),
    ]);
  } finally {
    limit.abort();
  }
}

/** One line in the system's own words: of a host of several addresses they are one level down. */
function reasonOf(error: unknown): string {
  const said: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return said instanceof Error ? said.message : String(said);
}

/** With what is to be done about it, where that is known. */
function failureFields(error: unknown): Record<string, unknown> {
  const reason = reasonOf(error);
  const code = registeredCodeOf(error);
  return code === undefined ? { reason } : { reason, code, help: ERRORS[code].help };
}

function olderApi(protocol: number): string {
  return `The api speaks protocol ${protocol} and this worker ${LINK_PROTOCOL}: upgrade the api first.`;
}

function keyOf(ref: { readonly instanceId: number; readonly epoch: number }): string {
  return `${ref.instanceId}:${ref.epoch}`;
}

function logFields(claim: Claim): Record<string, unknown> {
  return {
    instanceId: claim.publicId,
    nodeId: claim.nodeId,
    bizdate: claim.bizdate,
    attempt: claim.attempt,
  };
}
