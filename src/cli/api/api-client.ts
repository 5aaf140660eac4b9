import { randomUUID } from 'node:crypto';

import { z } from 'zod';

import { CliError } from '../cli-error.js';
import { EXIT } from '../exit-code.js';
import { problemOf } from './api-problem.js';

export interface ApiAddress {
  /** Where the server listens, e.g. `http://127.0.0.1:7070`; `/api/v1` is added here. */
  readonly server: string;
  readonly token: string;
}

/** One request and what became of it, for `--debug`. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  /** HTTP status, or why there is none. */
  readonly status: number | string;
  readonly elapsedMs: number;
  readonly traceId: string | undefined;
}

export type Query = Readonly<Record<string, string | number | undefined>>;

export interface SendOptions {
  readonly body?: unknown;
  readonly ifMatch?: string;
  readonly signal?: AbortSignal;
}

export interface Answer<T> {
  readonly value: T;
  readonly etag: string | undefined;
  readonly location: string | undefined;
}

/** Longer than the server's own 30 s deadline for interactive work, so that its reason arrives. */
const ANSWER_TIMEOUT_MS = 45_000;

/** `/api/v1` over fetch. Answers are checked for the fields a command reads, and no others. */
export class ApiClient {
  readonly #server: string;
  readonly #token: string;
  readonly #onExchange: ((exchange: Exchange) => void) | undefined;

  constructor(address: ApiAddress, onExchange?: (exchange: Exchange) => void) {
    this.#server = address.server.replace(/\/+$/, '');
    this.#token = address.token;
    this.#onExchange = onExchange;
  }

  async get<T>(path: string, schema: z.ZodType<T>, query: Query = {}): Promise<T> {
    return (await this.send('GET', path + queryText(query), schema)).value;
  }

  /** Follows `nextCursor` until `limit` items are there. `more` tells that the list goes on. */
  async list<T>(
    path: string,
    schema: z.ZodType<T>,
    limit: number,
    query: Query = {},
  ): Promise<{ readonly items: T[]; readonly more: boolean }> {
    const page = z.looseObject({ items: z.array(schema), nextCursor: z.string().nullish() });
    const items: T[] = [];
    let cursor: string | undefined;
    do {
      const size = Math.min(limit - items.length, PAGE_SIZE);
      const answer = await this.get(path, page, { ...query, limit: size, cursor });
      items.push(...answer.items);
      cursor = answer.nextCursor ?? undefined;
    } while (cursor !== undefined && items.length < limit);
    return { items, more: cursor !== undefined };
  }

  /** Every POST carries an Idempotency-Key, so that a proxy's repeat starts nothing twice. */
  async send<T>(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    schema: z.ZodType<T>,
    options: SendOptions = {},
  ): Promise<Answer<T>> {
    const response = await this.#fetch(path, {
      method,
      headers: {
        accept: 'application/json',
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(method === 'POST' ? { 'idempotency-key': randomUUID() } : {}),
        ...(options.ifMatch === undefined ? {} : { 'if-match': options.ifMatch }),
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      signal: timeLimit(options.signal),
    });
    if (!response.ok) throw await problemOf(response, `${method} ${path}`);
    const text = await response.text();
    return {
      value: this.#check(path, schema, text),
      etag: response.headers.get('etag') ?? undefined,
      location: response.headers.get('location') ?? undefined,
    };
  }

  /** The body as it comes, without a time limit: logs and event streams. */
  async stream(
    path: string,
    query: Query,
    accept: 'text/plain' | 'text/event-stream',
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    const response = await this.#fetch(path + queryText(query), { headers: { accept }, signal });
    if (!response.ok) throw await problemOf(response, `GET ${path}`);
    return response.body ?? new ReadableStream<Uint8Array>({ start: (c) => c.close() });
  }

  #check<T>(path: string, schema: z.ZodType<T>, text: string): T {
    let body: unknown;
    try {
      body = text === '' ? undefined : JSON.parse(text);
    } catch {
      body = undefined;
    }
    const parsed = schema.safeParse(body);
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    throw new CliError(
      `The answer of ${path} is not what this command expects: ` +
        `${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim(),
      {
        exitCode: EXIT.failed,
        fix: 'Check that --server is a Millrace server of the same version as this command.',
      },
    );
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${this.#token}`);
    const startedMs = performance.now();
    const tell = (status: number | string, traceId?: string | null): void =>
      this.#onExchange?.({
        method: init.method ?? 'GET',
        path: `/api/v1${path}`,
        status,
        elapsedMs: performance.now() - startedMs,
        traceId: traceId ?? undefined,
      });
    try {
      // A redirect would carry the token to wherever it points.
      const target = `${this.#server}/api/v1${path}`;
      const response = await fetch(target, { ...init, headers, redirect: 'error' });
      tell(response.status, response.headers.get('x-trace-id'));
      return response;
    } catch (error) {
      tell(reasonOf(error));
      if (error instanceof Error && error.name === 'AbortError') throw error;
      const isLate = error instanceof Error && error.name === 'TimeoutError';
      throw new CliError(
        isLate
          ? `${this.#server} did not answer within ${ANSWER_TIMEOUT_MS / 1000} s`
          : `${this.#server} cannot be reached: ${reasonOf(error)}`,
        {
          exitCode: EXIT.timeout,
          fix: 'Start Millrace with `npm start`, or name another server with --server.',
          cause: error,
        },
      );
    }
  }
}

const PAGE_SIZE = 200;

function timeLimit(signal: AbortSignal | undefined): AbortSignal {
  const limit = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  return signal === undefined ? limit : AbortSignal.any([limit, signal]);
}

function queryText(query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) search.set(name, String(value));
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

/** fetch hides the system's words one level down. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error && cause.message !== '') return cause.message;
  return error instanceof Error ? error.message : String(error);
}
