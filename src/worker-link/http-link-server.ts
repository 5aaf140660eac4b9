import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Clock } from '../domain/clock.js';
import { MillraceError, registeredCodeOf } from '../domain/errors.js';
import type { Database } from '../store/database.js';
import {
  isLinkMethod,
  LINK_BODIES,
  LINK_PREFIX,
  type LinkBody,
  type LinkMethod,
} from './link-methods.js';
import { sentLater } from './sent-later.js';
import type { WorkerLink } from './worker-link.js';

interface TokenOwner {
  readonly resourceGroupId: number;
  readonly resourceGroup: string;
}

/** How one method of the link is served, and for which worker it speaks. */
interface Call<M extends LinkMethod> {
  readonly workerOf?: (body: LinkBody<M>) => number;
  readonly answer: (
    link: WorkerLink,
    body: LinkBody<M>,
    owner: TokenOwner,
    signal: AbortSignal,
    /** For how long this side has had the request. */
    heldMs: () => number,
  ) => Promise<unknown>;
}

const workerOf = (body: { readonly workerId: number }): number => body.workerId;

const CALLS: { readonly [M in LinkMethod]: Call<M> } = {
  register: {
    answer: (link, { hello }, { resourceGroup }) => link.register({ ...hello, resourceGroup }),
  },
  poll: {
    workerOf: ({ ask }) => ask.workerId,
    answer: (link, { ask }, _owner, signal) => link.poll(ask, signal),
  },
  renew: {
    workerOf: ({ renewal }) => renewal.workerId,
    answer: (link, { renewal }) => link.renew(renewal),
  },
  control: {
    workerOf: ({ ask }) => ask.workerId,
    answer: (link, { ask }) => link.control(ask),
  },
  started: { workerOf, answer: (link, body) => link.started(body.workerId, body.attempts) },
  finish: {
    workerOf,
    answer: (link, { workerId, reports }, _owner, _signal, heldMs) =>
      link.finish(
        workerId,
        reports.map((report) => sentLater(report, heldMs())),
      ),
  },
  log: { workerOf, answer: (link, body) => link.log(body.workerId, body.chunks) },
  quarantine: {
    workerOf,
    answer: (link, body) => link.quarantine(body.workerId, body.attempt, body.records),
  },
  keepOutputs: {
    workerOf,
    answer: (link, body) => link.keepOutputs(body.workerId, body.attempt, body.outputs),
  },
  answer: { workerOf, answer: (link, body) => link.answer(body.workerId, body.part) },
  goodbye: { workerOf, answer: (link, body) => link.goodbye(body.workerId) },
};

const MAX_BODY_BYTES = 32 * 1024 * 1024;

/**
 * The HTTPS side of the link, for workers elsewhere. A token belongs to one resource group: it registers
 * workers of that group and speaks for no worker of another.
 */
export class HttpLinkServer {
  readonly #link: WorkerLink;
  readonly #database: Database;
  readonly #clock: Clock;
  /** A worker never changes its group. */
  readonly #groupOf = new Map<number, number>();

  constructor(link: WorkerLink, database: Database, clock: Clock) {
    this.#link = link;
    this.#database = database;
    this.#clock = clock;
  }

  /** Answers a request below {@link LINK_PREFIX}; any other is handed to `next`. */
  readonly handle = (
    request: IncomingMessage,
    response: ServerResponse,
    next: () => void,
  ): void => {
    const url = request.url ?? '';
    if (!url.startsWith(LINK_PREFIX)) {
      next();
      return;
    }
    this.#answer(url.slice(LINK_PREFIX.length), request, response).catch((error: unknown) => {
      sendError(response, error);
    });
  };

  async #answer(method: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const arrivedAt = this.#clock.now().getTime();
    const heldMs = (): number => Math.max(0, this.#clock.now().getTime() - arrivedAt);
    const [owner, text] = await Promise.all([this.#authenticate(request), readBody(request)]);
    if (request.method !== 'POST' || !isLinkMethod(method)) {
      throw new MillraceError('MR-A104', `The worker link has no ${request.method} ${method}.`);
    }
    const body: unknown = JSON.parse(text.toString('utf8'));
    const parsed = LINK_BODIES[method].safeParse(body);
    if (!parsed.success) throw new MillraceError('MR-A101', parsed.error.message);
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const answer = await this.#call(
      method,
      parsed.data as LinkBody<typeof method>,
      owner,
      gone.signal,
      heldMs,
    );
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? null));
  }

  async #call<M extends LinkMethod>(
    method: M,
    body: LinkBody<M>,
    owner: TokenOwner,
    signal: AbortSignal,
    heldMs: () => number,
  ): Promise<unknown> {
    const call: Call<M> = CALLS[method];
    const worker = call.workerOf?.(body);
    if (worker !== undefined) await this.#requireOwn(worker, owner);
    return await call.answer(this.#link, body, owner, signal, heldMs);
  }

  async #authenticate(request: IncomingMessage): Promise<TokenOwner> {
    const token = /^Bearer (mrw_[\w-]+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) throw new MillraceError('MR-A102', 'A worker token is needed.');
    const [owner] = await this.#database.few.rows<TokenOwner>(
      `SELECT t.resource_group_id AS "resourceGroupId", g.name AS "resourceGroup"
         FROM worker_token t JOIN resource_group g ON g.id = t.resource_group_id
        WHERE t.token_hash = $1 AND t.revoked_at IS NULL`,
      [workerTokenHash(token)],
    );
    if (owner === undefined) throw new MillraceError('MR-A102', 'This worker token is not known.');
    return owner;
  }

  async #requireOwn(workerId: number, owner: TokenOwner): Promise<void> {
    const known = this.#groupOf.get(workerId) ?? (await this.#findGroup(workerId));
    if (known !== owner.resourceGroupId) {
      throw new MillraceError(
        'MR-A103',
        `Worker ${workerId} is not of group "${owner.resourceGroup}".`,
      );
    }
  }

  async #findGroup(workerId: number): Promise<number | undefined> {
    const [row] = await this.#database.rows<{ group: number }>(
      'SELECT resource_group_id AS "group" FROM worker WHERE id = $1',
      [workerId],
    );
    if (row !== undefined) this.#groupOf.set(workerId, row.group);
    return row?.group;
  }
}

/** What the store keeps of a worker token. */
export function workerTokenHash(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES) throw new MillraceError('MR-A101', 'The body is too large.');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

const STATUS: Readonly<Record<string, number>> = {
  'MR-A101': 400,
  'MR-A102': 401,
  'MR-A103': 403,
  'MR-A104': 404,
  'MR-A208': 426,
  'MR-S204': 409,
};

function sendError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const code = registeredCodeOf(error) ?? 'MR-A109';
  const detail =
    code === 'MR-A109' ? 'The api could not do this.' : (error as MillraceError).detail;
  response.writeHead(STATUS[code] ?? 500, { 'content-type': 'application/problem+json' });
  response.end(JSON.stringify({ code, detail }));
}
