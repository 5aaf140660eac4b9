import { z } from 'zod';

import { isRegisteredCode } from '../domain/error-registry.js';
import { MillraceError } from '../domain/errors.js';
import type { ProducedOutputs } from '../domain/params/named-output.js';
import { LINK_PREFIX, type LinkMethod } from './link-methods.js';
import type {
  AttemptRef,
  ControlAnswer,
  ControlAsk,
  DirtyRow,
  FinishReport,
  LogChunk,
  PollAnswer,
  PollAsk,
  Registration,
  Renewal,
  RenewalAnswer,
  RequestAnswer,
  WorkerHello,
  WorkerLink,
} from './worker-link.js';

export interface HttpWorkerLinkOptions {
  /** `http://host:port` of an api process. */
  readonly url: string;
  readonly token: string;
  /** A call other than `poll` fails after this long. */
  readonly timeoutMs: number;
}

const problemSchema = z.object({ code: z.string(), detail: z.string() });

/** The link of a worker that runs elsewhere: it knows an address and a token, never the database. */
export class HttpWorkerLink implements WorkerLink {
  readonly #options: HttpWorkerLinkOptions;

  constructor(options: HttpWorkerLinkOptions) {
    this.#options = options;
  }

  async register(hello: WorkerHello): Promise<Registration> {
    // The group is the token's.
    const { resourceGroup: _, ...sent } = hello;
    return await this.#call('register', { hello: sent });
  }

  async poll(ask: PollAsk, signal: AbortSignal): Promise<PollAnswer> {
    const limit = AbortSignal.timeout(ask.waitMs + this.#options.timeoutMs);
    return await this.#call('poll', { ask }, AbortSignal.any([signal, limit]));
  }

  async renew(renewal: Renewal): Promise<RenewalAnswer> {
    return await this.#call('renew', { renewal });
  }

  async control(ask: ControlAsk): Promise<readonly ControlAnswer[]> {
    return await this.#call('control', { ask });
  }

  async started(workerId: number, attempts: readonly AttemptRef[]): Promise<void> {
    await this.#call('started', { workerId, attempts });
  }

  async finish(workerId: number, reports: readonly FinishReport[]): Promise<readonly AttemptRef[]> {
    return await this.#call('finish', { workerId, reports });
  }

  async log(workerId: number, chunks: readonly LogChunk[]): Promise<void> {
    await this.#call('log', { workerId, chunks });
  }

  async quarantine(
    workerId: number,
    attempt: AttemptRef,
    records: readonly DirtyRow[],
  ): Promise<void> {
    await this.#call('quarantine', { workerId, attempt, records });
  }

  async keepOutputs(
    workerId: number,
    attempt: AttemptRef,
    outputs: ProducedOutputs,
  ): Promise<void> {
    await this.#call('keepOutputs', { workerId, attempt, outputs });
  }

  async answer(workerId: number, part: RequestAnswer): Promise<void> {
    await this.#call('answer', { workerId, part });
  }

  async goodbye(workerId: number): Promise<void> {
    await this.#call('goodbye', { workerId });
  }

  async #call<T>(method: LinkMethod, body: unknown, signal?: AbortSignal): Promise<T> {
    const response = await fetch(new URL(LINK_PREFIX + method, this.#options.url), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${this.#options.token}`,
      },
      body: JSON.stringify(body),
      signal: signal ?? AbortSignal.timeout(this.#options.timeoutMs),
    });
    const answer: unknown = await response.json();
    if (response.ok) return answer as T;
    const problem = problemSchema.safeParse(answer);
    throw new MillraceError(
      problem.success && isRegisteredCode(problem.data.code) ? problem.data.code : 'MR-A109',
      problem.success ? problem.data.detail : response.statusText,
    );
  }
}
