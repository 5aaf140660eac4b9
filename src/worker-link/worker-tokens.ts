import { createHash } from 'node:crypto';

import { MillraceError } from '../domain/errors.js';
import type { Database } from '../store/database.js';

export interface TokenOwner {
  readonly resourceGroupId: number;
  readonly resourceGroup: string;
}

interface Known {
  readonly owner: Promise<TokenOwner | undefined>;
  readonly until: number;
}

/** How long a token is taken for what it was: a busy worker calls some hundred times a second. */
const KNOWN_MS = 250;

/** Whose the tokens of workers are. A revoked one is refused within a quarter of a second. */
export class WorkerTokens {
  readonly #database: Database;
  /** By token; those whose time has passed are forgotten with the next call. */
  readonly #known = new Map<string, Known>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** Throws where there is no such token. */
  async ownerOf(token: string): Promise<TokenOwner> {
    const now = performance.now();
    for (const [key, { until }] of this.#known) if (until <= now) this.#known.delete(key);
    let known = this.#known.get(token);
    if (known === undefined) {
      known = { owner: this.#find(token), until: now + KNOWN_MS };
      this.#known.set(token, known);
      // A database that did not answer says nothing of the token.
      known.owner.catch(() => this.#known.delete(token));
    }
    const owner = await known.owner;
    if (owner === undefined) throw new MillraceError('MR-A102', 'This worker token is not known.');
    return owner;
  }

  async #find(token: string): Promise<TokenOwner | undefined> {
    const [owner] = await this.#database.few.rows<TokenOwner>(
      `SELECT t.resource_group_id AS "resourceGroupId", g.name AS "resourceGroup"
         FROM worker_token t JOIN resource_group g ON g.id = t.resource_group_id
        WHERE t.token_hash = $1 AND t.revoked_at IS NULL`,
      [workerTokenHash(token)],
    );
    return owner;
  }
}

/** What the store keeps of a worker token. */
export function workerTokenHash(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
