import { setTimeout as sleep } from 'node:timers/promises';

import { encodeDayId } from '../../../src/domain/ids.js';
import type { Cluster } from '../cluster.js';
import { Deploys } from './deploys.js';
import { DayLine, daysFrom } from '../day-line.js';
import type { FaultyProxy } from '../faulty-proxy.js';
import type { OwnPostgres } from '../own-postgres.js';

/** Each has a plan of its own, that is made and sealed when the first workflows of the zone are there. */
const ZONES = [
  'Asia/Shanghai',
  'Europe/Berlin',
  'Pacific/Auckland',
  'America/New_York',
  'Asia/Kolkata',
  'America/Los_Angeles',
  'Pacific/Chatham',
  'UTC',
];
const WORKFLOWS_OF_ZONE = 4;
const WORKSPACE = '/workspaces/sample';
const ZONE_REST_MS = 6_000;
const BACKFILL_REST_MS = 4_000;
const BACKFILL_DATES = 3;
const GATE_REST_MS = 2_000;
const MAX_GATE = 3;
const OPEN_GATE = 100;

const FIRST_DATE = '2020-01-01';
const MAX_DATES = 2000;
/** So many instances may be unfinished before no more are started. */
const BACKLOG = 40;
const REST_MS = 700;
/**
 * Together longer than several outages of a target in a row: ten retries of 300 ms were used up within one of
 * 4 s, and then a failure says nothing of the line.
 */
const RETRY = { max: 10, backoff: { factor: 1.5 } };
const LIMITS = { retryMs: 300, retryCapMs: 5000 };

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

/** The work that goes on during a storm: days of syncs and SQL, retries, reruns, backfills, deploys, a gate. */
export class Traffic implements AsyncDisposable {
  /** Adds rows, so that work done twice leaves them twice; never rerun. */
  readonly adding: DayLine;
  /** Replaces rows; rerun again and again. */
  readonly replacing: DayLine;
  readonly deploys: Deploys;
  readonly #retriedId: number;
  readonly #gateId: string;
  readonly #cluster: Cluster;
  #isStopping = false;
  /** The test has failed: what it waits for may never come. */
  #isGivenUp = false;
  #loops: Promise<unknown> = Promise.resolve();
  #reruns = 0;
  #backfills = 0;

  private constructor(
    cluster: Cluster,
    parts: Pick<Traffic, 'adding' | 'replacing'> & {
      readonly retriedId: number;
      readonly gateId: string;
    },
  ) {
    this.#cluster = cluster;
    this.adding = parts.adding;
    this.replacing = parts.replacing;
    this.#retriedId = parts.retriedId;
    this.#gateId = parts.gateId;
    this.deploys = new Deploys(cluster);
  }

  static async open(
    cluster: Cluster,
    postgres: OwnPostgres,
    through: { readonly warehouse: FaultyProxy; readonly target: FaultyProxy },
  ): Promise<Traffic> {
    const options = { through, warehouse: postgres.login, retry: RETRY, limits: LIMITS };
    const adding = await DayLine.open(cluster, { ...options, name: 'adding' });
    const replacing = await DayLine.open(cluster, {
      ...options,
      name: 'replacing',
      replaces: true,
    });
    const gate = await cluster.send('POST', `${WORKSPACE}/gates`, {
      scope: 'node',
      workflow: 'replacing',
      node: 'insert_data',
      capacity: OPEN_GATE,
    });
    const { id: gateId } = (await gate.json()) as { id: string };
    const retriedId = await cluster.submit('retried', RETRIED, LIMITS);
    return new Traffic(cluster, { adding, replacing, retriedId, gateId });
  }

  get reruns(): number {
    return this.#reruns;
  }

  get backfills(): number {
    return this.#backfills;
  }

  start(): void {
    this.deploys.start();
    this.#loops = Promise.all([
      this.#startDays(),
      this.#rerunSome(),
      this.#backfillSome(),
      this.#addZones(),
      this.#changeGate(),
    ]);
  }

  /** Starts nothing more. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.deploys.stop();
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

  /** Days of {@link replacing} once more, in a group of their own beside the first. */
  async #backfillSome(): Promise<void> {
    while (!this.#isStopping) {
      await this.#rest(BACKFILL_REST_MS);
      try {
        const dates = await this.#cluster.database.rows<{ bizdate: string }>(
          `SELECT bizdate FROM workflow_instance WHERE workflow_id = $1
            GROUP BY bizdate ORDER BY random() LIMIT $2`,
          [this.replacing.workflowId, BACKFILL_DATES],
        );
        if (dates.length === 0 || this.#isStopping) continue;
        const body = {
          workflow: 'replacing',
          dates: dates.map(({ bizdate }) => bizdate),
          parallelism: BACKFILL_DATES,
        };
        const planned = await this.#cluster.send('POST', `${WORKSPACE}/backfills/plan`, body);
        const { planToken } = (await planned.json()) as { planToken: string };
        await this.#cluster.send('POST', `${WORKSPACE}/backfills`, {
          ...body,
          name: 'again',
          planToken,
        });
        this.#backfills++;
      } catch {
        // The api or its database is away, or the world has changed since the plan was shown.
      }
    }
  }

  async #addZones(): Promise<void> {
    for (const zone of ZONES) {
      if (this.#isStopping) return;
      try {
        await this.deploys.addZone(zone, WORKFLOWS_OF_ZONE);
      } catch {
        // Some of its workflows are there: they are planned as the others are.
      }
      await this.#rest(ZONE_REST_MS);
    }
  }

  /** Shuts and opens one; at the end it stands open. */
  async #changeGate(): Promise<void> {
    const set = async (capacity: number): Promise<void> => {
      await this.#cluster.send('PATCH', `${WORKSPACE}/gates/${this.#gateId}`, { capacity });
    };
    for (let turn = 0; !this.#isStopping; turn++) {
      await set(turn % (MAX_GATE + 1)).catch(() => undefined);
      await this.#rest(GATE_REST_MS);
    }
    while (!this.#isGivenUp) {
      try {
        return await set(OPEN_GATE);
      } catch {
        await sleep(100);
      }
    }
  }

  async #rest(ms: number): Promise<void> {
    const until = performance.now() + ms;
    while (!this.#isStopping && performance.now() < until) await sleep(100);
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
        `SELECT count(*)::int AS n FROM node_instance i
           JOIN run_group g ON g.id = i.run_group_id AND g.kind <> 'scheduled'
          WHERE status NOT IN ('succeeded', 'failed', 'cancelled')`,
      );
      return row?.n ?? 0;
    } catch {
      return Number.POSITIVE_INFINITY;
    }
  }
}
