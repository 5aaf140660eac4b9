import { setTimeout as sleep } from 'node:timers/promises';

import { encodeDayId } from '../../../src/domain/ids.js';
import type { Cluster } from '../cluster.js';
import { DayLine, daysFrom } from '../day-line.js';
import type { FaultyProxy } from '../faulty-proxy.js';
import type { OwnPostgres } from '../own-postgres.js';

const FIRST_DATE = '2020-01-01';
const MAX_DATES = 2000;
/** So many instances may be unfinished before no more are started. */
const BACKLOG = 40;
const REST_MS = 700;
/**
 * Together longer than several outages of a target in a row: ten retries of 300 ms were used up within one of
 * 4 s, and then a failure says nothing of the line.
 */
const RETRY = { max: 10, intervalMs: 300, backoff: { factor: 1.5, capMs: 5000 } };

/** Fails at its first attempt; what comes behind it waits for its second. */
const RETRIED = {
  nodes: [
    {
      id: 'second_try',
      type: 'shell',
      retry: RETRY,
      config: { command: '[ "$MILLRACE_ATTEMPT" -ge 2 ]' },
    },
    { id: 'joint', type: 'virtual', config: {}, needs: ['second_try'] },
    { id: 'last', type: 'shell', config: { command: 'true' }, needs: ['joint'] },
  ],
};

/** The work that goes on during a storm: days of syncs and SQL, retries, reruns. */
export class Traffic implements AsyncDisposable {
  /** Adds rows, so that work done twice leaves them twice; never rerun. */
  readonly adding: DayLine;
  /** Replaces rows; rerun again and again. */
  readonly replacing: DayLine;
  readonly #retriedId: number;
  readonly #cluster: Cluster;
  #isStopping = false;
  /** The test has failed: what it waits for may never come. */
  #isGivenUp = false;
  #loops: Promise<unknown> = Promise.resolve();
  #reruns = 0;

  private constructor(cluster: Cluster, adding: DayLine, replacing: DayLine, retriedId: number) {
    this.#cluster = cluster;
    this.adding = adding;
    this.replacing = replacing;
    this.#retriedId = retriedId;
  }

  static async open(
    cluster: Cluster,
    postgres: OwnPostgres,
    through: { readonly warehouse: FaultyProxy; readonly target: FaultyProxy },
  ): Promise<Traffic> {
    const options = { through, warehouse: postgres.login, retry: RETRY };
    const adding = await DayLine.open(cluster, { ...options, name: 'adding' });
    const replacing = await DayLine.open(cluster, {
      ...options,
      name: 'replacing',
      replaces: true,
    });
    return new Traffic(cluster, adding, replacing, await cluster.submit('retried', RETRIED));
  }

  get reruns(): number {
    return this.#reruns;
  }

  start(): void {
    this.#loops = Promise.all([this.#startDays(), this.#rerunSome()]);
  }

  /** Starts nothing more. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#loops;
  }

  /** Reruns what has failed of what may be run again; how many there were. */
  async rerunFailed(): Promise<number> {
    const failed = await this.#instances(`i.status = 'failed' AND i.workflow_id <> $1`);
    for (const id of failed) await this.#cluster.send('POST', `/instances/${id}/rerun`, {});
    return failed.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isGivenUp = true;
    await this.stop();
    await this.replacing[Symbol.asyncDispose]();
    await this.adding[Symbol.asyncDispose]();
  }

  async #startDays(): Promise<void> {
    for (const bizdate of daysFrom(FIRST_DATE, MAX_DATES)) {
      while (!this.#isStopping && (await this.#backlog()) > BACKLOG) await sleep(REST_MS);
      if (this.#isStopping) return;
      for (const line of [this.adding, this.replacing]) {
        await line.prepare([bizdate]);
        await this.#ensureRun(line.workflowId, bizdate);
      }
      await this.#ensureRun(this.#retriedId, bizdate);
      await sleep(REST_MS);
    }
  }

  /** A COMMIT whose answer is lost has happened or not: only the rows tell, and a day must not be run twice. */
  async #ensureRun(workflowId: number, bizdate: string): Promise<void> {
    while (!this.#isGivenUp) {
      try {
        const found = await this.#cluster.database.rows(
          `SELECT FROM workflow_instance WHERE workflow_id = $1 AND bizdate = $2`,
          [workflowId, bizdate],
        );
        if (found.length > 0) return;
        await this.#cluster.runDays(workflowId, [bizdate]);
      } catch {
        await sleep(100);
      }
    }
  }

  async #rerunSome(): Promise<void> {
    while (!this.#isStopping) {
      await sleep(REST_MS);
      try {
        const [id] = await this.#instances(
          `i.status IN ('succeeded', 'failed') AND i.workflow_id <> $1 ORDER BY random() LIMIT 1`,
        );
        if (id === undefined) continue;
        await this.#cluster.send('POST', `/instances/${id}/rerun`, {});
        this.#reruns++;
      } catch {
        // The api or its database is away, or somebody else was first.
      }
    }
  }

  /** API ids; `$1` in the condition is the workflow that must not be rerun. */
  async #instances(condition: string): Promise<string[]> {
    const rows = await this.#cluster.database.rows<{ plan_day: string; id: number }>(
      `SELECT plan_day, id FROM node_instance i WHERE ${condition}`,
      [this.adding.workflowId],
    );
    return rows.map(({ plan_day: planDay, id }) => encodeDayId('inst', { planDay, id }));
  }

  async #backlog(): Promise<number> {
    try {
      const [row] = await this.#cluster.database.rows<{ n: number }>(
        `SELECT count(*)::int AS n FROM node_instance
          WHERE status NOT IN ('succeeded', 'failed', 'cancelled')`,
      );
      return row?.n ?? 0;
    } catch {
      return Number.POSITIVE_INFINITY;
    }
  }
}
