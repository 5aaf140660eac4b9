import { Agent, type RequestOptions } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { urlToHttpOptions } from 'node:url';
import { isNativeError } from 'node:util/types';

import { z } from 'zod';

import { isRegisteredCode } from '../domain/error-registry.js';
import { MillraceError } from '../domain/errors.js';
import type { ProducedOutputs } from '../domain/params/named-output.js';
import { LINK_PREFIX, type LinkMethod } from './link-methods.js';
import { postBytes, type PostAnswer } from './post-bytes.js';
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
  readonly #to: RequestOptions;

  constructor(options: HttpWorkerLinkOptions) {
    this.#options = options;
    const url = new URL(options.url);
    const agent = url.protocol === 'https:' ? TlsAgent : Agent;
    this.#to = {
      ...urlToHttpOptions(url),
      agent: new agent({ keepAlive: true, timeout: IDLE_MS }),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${options.token}` },
    };
  }

  async register(hello: WorkerHello): Promise<Registration> {
    // The group is the token's.
    const { resourceGroup: _, ...sent } = hello;
    return await this.#call('register', { hello: sent });
  }

  async poll(ask: PollAsk, signal: AbortSignal): Promise<PollAnswer> {
    const limitMs = ask.waitMs + this.#options.timeoutMs;
    return await this.#call('poll', { ask }, { limitMs, signal });
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

  async #call<T>(
    method: LinkMethod,
    body: unknown,
    { limitMs = this.#options.timeoutMs, signal }: { limitMs?: number; signal?: AbortSignal } = {},
  ): Promise<T> {
    let answer: PostAnswer;
    try {
      answer = await postBytes({
        to: { ...this.#to, path: LINK_PREFIX + method },
        body: Buffer.from(JSON.stringify(body)),
        limitMs,
        signal,
      });
    } catch (error) {
      throw refusedCertificate(error, this.#options.url) ?? error;
    }
    if (answer.status === 200) return JSON.parse(answer.body.toString()) as T;
    throw problemOf(answer);
  }
}

function problemOf({ body, statusMessage }: PostAnswer): MillraceError {
  const problem = problemSchema.safeParse(jsonOf(body));
  if (!problem.success) return new MillraceError('MR-A109', statusMessage);
  const { code, detail } = problem.data;
  return new MillraceError(isRegisteredCode(code) ? code : 'MR-A109', detail);
}

/** What stands between a worker and an api may answer with a page of its own. */
function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

function refusedCertificate(error: unknown, url: string): MillraceError | undefined {
  if (!isNativeError(error)) return undefined;
  const code = 'code' in error ? String(error.code) : '';
  if (!UNTRUSTED.test(code)) return undefined;
  const { host } = new URL(url);
  return new MillraceError('MR-A212', `${host}: ${error.message} (${code})`, { cause: error });
}
