import { Pool, type PoolClient, type QueryResult } from 'pg';

import { listening, repeating, rollBack, Session, type Sql, sqlStateOf } from './session.js';
import { valueParsers } from './value-parsers.js';

/** As many rows as a plan of nested loops alone does not yet lose time with. */
export const FEW = 64;

const PLANNER: Readonly<Record<string, readonly [few: string, many: string]>> = {
  plan_cache_mode: ['force_generic_plan', 'auto'],
  enable_seqscan: ['off', 'on'],
  enable_hashjoin: ['off', 'on'],
  enable_mergejoin: ['off', 'on'],
};
const EXPECT_FEW = Object.entries(PLANNER)
  .map(([name, [few]]) => `SET ${name} = ${few}`)
  .join(';');
const EXPECT_MANY = Object.entries(PLANNER)
  .map(([name, [, many]]) => `SET LOCAL ${name} = ${many}`)
  .join(';');

/** A new connection plans everything once more. */
const IDLE_MS = 600_000;

export interface FewRowsOptions {
  readonly url: string;
  readonly applicationName: string;
  readonly poolSize: number;
}

/**
 * Connections for statements that look few rows up by keys. Their plans are kept: to plan one over partitions
 * takes the server several times as long as to run it for one row. A kept plan knows neither how many keys it
 * is given nor how large a table has become since, so it is confined to indexes.
 *
 * Only for texts of which there is a bounded number: each connection keeps them all.
 */
export class FewRows implements AsyncDisposable {
  readonly #pool: Pool;

  constructor({ url, applicationName, poolSize }: FewRowsOptions) {
    this.#pool = new Pool({
      connectionString: url,
      application_name: applicationName,
      max: poolSize,
      types: valueParsers,
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
      pipeline: true,
      idleTimeoutMillis: IDLE_MS,
      onConnect: (client) => {
        // In front of whatever it is taken for; where this fails, that does as well.
        client.query(EXPECT_FEW).catch(() => undefined);
      },
    });
    // An idle connection was lost: the pool has dropped it.
    this.#pool.on('error', () => undefined);
  }

  async rows<T>(text: string, values: readonly unknown[] = []): Promise<T[]> {
    return await repeating(() =>
      this.#connected((client) => new FewSession(client).rows<T>(text, values)),
    );
  }

  async run(text: string, values: readonly unknown[] = []): Promise<number> {
    return await repeating(() =>
      this.#connected((client) => new FewSession(client).run(text, values)),
    );
  }

  /** As that of the database; what turns out to be of more rows than {@link FEW} says so by `expectMany`. */
  async transaction<T>(work: (tx: Sql) => Promise<T>): Promise<T> {
    return await repeating(() =>
      this.#connected(async (client) => {
        const session = new FewSession(client);
        try {
          session.begin();
          const result = await work(session);
          await session.commit();
          return result;
        } catch (error) {
          await rollBack(client);
          throw causeOf(session.failure, error);
        }
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end();
  }

  async #connected<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    return await listening(client, (error) => client.release(error), work);
  }
}

const IN_FAILED_TRANSACTION = '25P02';

/**
 * What ended the transaction. Behind a statement that failed every other one that is under way fails as well,
 * and for which of them somebody waits says nothing about which was the first.
 */
function causeOf(unwaited: unknown, waited: unknown): unknown {
  const isCause = unwaited !== undefined && sqlStateOf(unwaited) !== IN_FAILED_TRANSACTION;
  return isCause ? unwaited : waited;
}

/** Names of the statements, the same on all connections. */
const NAMES = new Map<string, string>();

function nameOf(text: string): string {
  const known = NAMES.get(text);
  if (known !== undefined) return known;
  const name = `s${NAMES.size}`;
  NAMES.set(text, name);
  return name;
}

/**
 * Statements leave before the answer to the one before has come: a way to the server and back takes longer than
 * most of them. The server runs them in order, and those behind one that failed not at all.
 */
class FewSession extends Session {
  readonly #client: PoolClient;
  #isFew = true;
  /** Until BEGIN is answered. */
  #begun: Promise<void> | undefined;
  #isFirst = true;
  readonly #sent: Promise<void>[] = [];
  /** Of the first statement that nobody waits for. */
  failure: unknown;

  constructor(client: PoolClient) {
    super(client);
    this.#client = client;
  }

  override get keepsPlans(): boolean {
    return this.#isFew;
  }

  begin(): void {
    this.#begun = this.#client.query('BEGIN').then(() => {
      this.#begun = undefined;
    });
    // Whoever sends the first statement waits for it too.
    this.#begun.catch(() => undefined);
  }

  async commit(): Promise<void> {
    await this.#begun;
    await Promise.all([...this.#sent, this.#client.query('COMMIT')]);
    if (this.failure !== undefined) throw this.failure;
  }

  override async expectMany(): Promise<void> {
    if (!this.#isFew) return;
    this.#isFew = false;
    await this.#begun;
    this.#sent.push(this.#unwaited(this.#client.query(EXPECT_MANY)));
  }

  /** Resolves when it is on its way. */
  override async send(text: string, values: readonly unknown[] = []): Promise<void> {
    await this.#begun;
    this.#sent.push(this.#unwaited(this.query(text, values)));
  }

  protected override async query(text: string, values: readonly unknown[]): Promise<QueryResult> {
    // The first one leaves together with BEGIN: of what follows none may ever run outside of it.
    if (!this.#isFirst && this.#begun !== undefined) await this.#begun;
    this.#isFirst = false;
    const answer = super.query(text, values, this.#isFew ? nameOf(text) : undefined);
    if (this.#begun === undefined) return await answer;
    return (await Promise.all([answer, this.#begun]))[0];
  }

  async #unwaited(answer: Promise<unknown>): Promise<void> {
    try {
      await answer;
    } catch (error) {
      this.failure ??= error;
    }
  }
}
