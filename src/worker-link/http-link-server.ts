import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

import { MillraceError, registeredCodeOf } from '../domain/errors.js';
import type { Database } from '../store/database.js';
import {
  isLinkMethod,
  LINK_BODIES,
  LINK_PREFIX,
  type LinkBody,
  type LinkMethod,
} from './link-methods.js';
import type { WorkerLink } from './worker-link.js';

interface TokenOwner {
  readonly resourceGroupId: number;
  readonly resourceGroup: string;
}

const MAX_BODY_BYTES = 32 * 1024 * 1024;

/**
 * The HTTPS side of the link, for workers elsewhere. A token belongs to one resource group: it registers
 * workers of that group and speaks for no worker of another.
 */
export class HttpLinkServer {
  readonly #link: WorkerLink;
  readonly #database: Database;

  constructor(link: WorkerLink, database: Database) {
    this.#link = link;
    this.#database = database;
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
    const owner = await this.#authenticate(request);
    if (request.method !== 'POST' || !isLinkMethod(method)) {
      throw new MillraceError('MR-A104', `The worker link has no ${request.method} ${method}.`);
    }
    const body: unknown = JSON.parse((await readBody(request)).toString('utf8'));
    const parsed = LINK_BODIES[method].safeParse(body);
    if (!parsed.success) throw new MillraceError('MR-A101', parsed.error.message);
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const answer = await this.#call(method, parsed.data, owner, gone.signal);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? null));
  }

  async #call(
    method: LinkMethod,
    body: unknown,
    owner: TokenOwner,
    signal: AbortSignal,
  ): Promise<unknown> {
    const of = <M extends LinkMethod>(_: M): LinkBody<M> => body as LinkBody<M>;
    if (method === 'register') {
      return await this.#link.register({
        ...of('register').hello,
        resourceGroup: owner.resourceGroup,
      });
    }
    const worker =
      method === 'poll'
        ? of('poll').ask.workerId
        : method === 'renew'
          ? of('renew').renewal.workerId
          : of('goodbye').workerId;
    await this.#requireOwn(worker, owner);
    switch (method) {
      case 'poll':
        return await this.#link.poll(of('poll').ask, signal);
      case 'renew':
        return await this.#link.renew(of('renew').renewal);
      case 'started':
        return await this.#link.started(worker, of('started').attempts);
      case 'finish':
        return await this.#link.finish(worker, of('finish').reports);
      case 'log':
        return await this.#link.log(worker, of('log').chunks);
      case 'quarantine':
        return await this.#link.quarantine(
          worker,
          of('quarantine').attempt,
          of('quarantine').records,
        );
      case 'answer':
        return await this.#link.answer(worker, of('answer').part);
      case 'goodbye':
        return await this.#link.goodbye(worker);
      default:
        return method satisfies never;
    }
  }

  async #authenticate(request: IncomingMessage): Promise<TokenOwner> {
    const token = /^Bearer (mrw_[\w-]+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) throw new MillraceError('MR-A102', 'A worker token is needed.');
    const [owner] = await this.#database.rows<TokenOwner>(
      `SELECT t.resource_group_id AS "resourceGroupId", g.name AS "resourceGroup"
         FROM worker_token t JOIN resource_group g ON g.id = t.resource_group_id
        WHERE t.token_hash = $1 AND t.revoked_at IS NULL`,
      [workerTokenHash(token)],
    );
    if (owner === undefined) throw new MillraceError('MR-A102', 'This worker token is not known.');
    return owner;
  }

  async #requireOwn(workerId: number, owner: TokenOwner): Promise<void> {
    const [row] = await this.#database.rows<{ ok: boolean }>(
      `SELECT true AS ok FROM worker WHERE id = $1 AND resource_group_id = $2`,
      [workerId, owner.resourceGroupId],
    );
    if (row === undefined) {
      throw new MillraceError(
        'MR-A103',
        `Worker ${workerId} is not of group "${owner.resourceGroup}".`,
      );
    }
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
