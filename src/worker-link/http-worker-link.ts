import { Agent, type IncomingMessage, request as overHttp } from 'node:http';
import { Agent as TlsAgent, request as overHttps } from 'node:https';
import { json } from 'node:stream/consumers';

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

/** What Node.js calls a certificate that it does not accept. */
const UNTRUSTED = /(?:^|_)CERT(?:_|$)|^UNABLE_TO_(?:GET|VERIFY)_|^INVALID_CA$|^HOSTNAME_MISMATCH$/;

/** Idle connections are given up before the api does: a call on one that it is just closing would fail. */
const IDLE_MS = 4000;

const problemSchema = z.object({ code: z.string(), detail: z.string() });

/**
 * The link of a worker that runs elsewhere: it knows an address and a token, never the database. Not by `fetch`,
 * which takes three times as long for a short call, between an upstream and its downstream twice.
 */
export class HttpWorkerLink implements WorkerLink {
  readonly #options: HttpWorkerLinkOptions;
  readonly #agent: Agent;

  constructor(options: HttpWorkerLinkOptions) {
    this.#options = options;
    const isSecure = new URL(options.url).protocol === 'https:';
    this.#agent = new (isSecure ? TlsAgent : Agent)({ keepAlive: true, timeout: IDLE_MS });
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
    const response = await this.#post(
      new URL(LINK_PREFIX + method, this.#options.url),
      Buffer.from(JSON.stringify(body)),
      signal ?? AbortSignal.timeout(this.#options.timeoutMs),
    );
    const answer: unknown = await json(response);
    if (response.statusCode === 200) return answer as T;
    const problem = problemSchema.safeParse(answer);
    throw new MillraceError(
      problem.success && isRegisteredCode(problem.data.code) ? problem.data.code : 'MR-A109',
      problem.success ? problem.data.detail : (response.statusMessage ?? ''),
    );
  }

  async #post(url: URL, body: Buffer, signal: AbortSignal): Promise<IncomingMessage> {
    return await new Promise((resolve, reject) => {
      const send = url.protocol === 'https:' ? overHttps : overHttp;
      const request = send(
        url,
        {
          method: 'POST',
          agent: this.#agent,
          signal,
          headers: {
            'content-type': 'application/json',
            'content-length': body.length,
            authorization: `Bearer ${this.#options.token}`,
          },
        },
        resolve,
      );
      request.on('error', (error) => reject(refusedCertificate(error, url) ?? error));
      request.end(body);
    });
  }
}

function refusedCertificate(error: Error, { host }: URL): MillraceError | undefined {
  const code = 'code' in error ? String(error.code) : '';
  if (!UNTRUSTED.test(code)) return undefined;
  return new MillraceError('MR-A212', `${host}: ${error.message} (${code})`, { cause: error });
}
