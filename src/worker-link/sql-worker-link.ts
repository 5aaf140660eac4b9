import type { Clock } from '../domain/clock.js';
import { MillraceError } from '../domain/errors.js';
import type { ProducedOutputs } from '../domain/params/named-output.js';
import { type Database, FEW } from '../store/database.js';
import { answerRequest, claimRequests } from '../store/repositories/request-repository.js';
import type { SecretBox } from '../store/secret-box.js';
import { storableJson } from '../store/storable.js';
import { controlAttempts } from '../store/sql/control-attempts.sql.js';
import { leaseRateShares } from '../store/sql/lease-rate-shares.sql.js';
import { daysOf, onDays } from '../store/sql/instance-row.js';
import { insertLogChunks } from '../store/sql/insert-log-chunks.sql.js';
import { markStarted } from '../store/sql/mark-started.sql.js';
import { openLanes } from '../store/sql/open-lanes.sql.js';
import { registerWorker } from '../store/sql/register-worker.sql.js';
import { refreshLease, renewLease } from '../store/sql/renew-lease.sql.js';
import { returnAttempts } from '../store/sql/return-attempts.sql.js';
import type { WakeBus } from '../store/wake-bus.js';
import { claimInstances, type PollingWorker } from './claim-instances.js';
import { HandOver } from './hand-over.js';
import { LineBatcher } from './line-batcher.js';
import { type NextWake, nextWake } from './next-wake.js';
import { Turns } from './turns.js';
import { WaitingPolls } from './waiting-polls.js';
import type {
  AttemptRef,
  Claim,
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
import { LINK_PROTOCOL, OLDEST_PROTOCOL } from './worker-link.js';

export interface SqlWorkerLinkOptions {
  readonly database: Database;
  readonly box: SecretBox;
  readonly clock: Clock;
  readonly wakeBus: WakeBus;
  readonly leaseMs: number;
  readonly installation: string;
  /** Named points of the line where a fault test may end this process. */
  readonly crashPoint: (name: string) => Promise<void>;
}

interface WorkerInfo extends PollingWorker {
  readonly dataSourceTypes: readonly string[];
}

/** Of what waits for work; a wake-up is nearly always sooner. */
const POLL_MS = 2000;
/** Asked for each second: a slow answer or two must not stop a sync. */
const SHARE_LEASE_MS = 3000;

/** The side of {@link WorkerLink} that is SQL. One object serves all workers of its process. */
export class SqlWorkerLink implements WorkerLink {
  readonly #options: SqlWorkerLinkOptions;
  readonly #workers = new Map<number, WorkerInfo>();
  readonly #batcher: LineBatcher;
  /**
   * Claims of one group follow each other anyway, by the lock on its row. Those that waited for it there had
   * a connection each, and the reports that would have made room waited for one.
   */
  readonly #claims = new Turns<number>();
  readonly #polls = new WaitingPolls();
  /** Groups in which so much is ready that what ends should not wait for its claims. */
  readonly #crowded = new Set<number>();

  constructor(options: SqlWorkerLinkOptions) {
    this.#options = options;
    this.#batcher = new LineBatcher({
      ...options,
      handOver: () =>
        new HandOver(this.#polls, (tx, { ask, worker }) =>
          claimInstances(tx, ask, worker, { ...options, withoutWaiting: true }),
        ),
    });
  }

  async register(hello: WorkerHello): Promise<Registration> {
    if (hello.protocol < OLDEST_PROTOCOL) {
      throw new MillraceError(
        'MR-A208',
        `Worker "${hello.name}" speaks protocol ${hello.protocol}; at least ${OLDEST_PROTOCOL} is needed.`,
      );
    }
    const { database, leaseMs, installation, wakeBus } = this.#options;
    const workerId = await database.transaction((tx) => registerWorker(tx, hello, leaseMs));
    wakeBus.wake();
    return { workerId, installation, protocol: LINK_PROTOCOL };
  }

  async poll(ask: PollAsk, signal: AbortSignal): Promise<PollAnswer> {
    const worker = await this.#worker(ask.workerId);
    const until = performance.now() + ask.waitMs;
    for (;;) {
      // Nobody waits any more: what were claimed now would reach no worker.
      if (signal.aborted) return NOTHING;
      const woken = nextWake(this.#options.wakeBus, signal);
      try {
        const answer = await this.#look(ask, worker);
        if (signal.aborted) return await this.#giveBack(ask.workerId, answer);
        if (isSomething(answer) || performance.now() >= until) return answer;
        const given = await this.#wait(ask, worker, woken, until);
        if (given.length === 0) continue;
        const handed = { ...NOTHING, claims: given };
        return signal.aborted ? await this.#giveBack(ask.workerId, handed) : handed;
      } finally {
        woken.cancel();
      }
    }
  }

  /** Until it is woken, which may be with something in its hands. */
  async #wait(
    ask: PollAsk,
    worker: WorkerInfo,
    woken: NextWake,
    until: number,
  ): Promise<readonly Claim[]> {
    const ms = Math.min(POLL_MS, until - performance.now());
    if (ask.free === 0) {
      await woken.within(ms);
      return [];
    }
    const poll = this.#polls.add(ask, worker, () => woken.wake());
    await woken.within(ms);
    return await poll.end();
  }

  async renew(renewal: Renewal): Promise<RenewalAnswer> {
    const { database, clock, wakeBus, leaseMs } = this.#options;
    const lost = await renewLease(database, renewal.workerId, leaseMs, renewal.attempts);
    const returned = await database.transaction((tx) =>
      returnAttempts(
        tx,
        {
          workerId: renewal.workerId,
          held: renewal.attempts.map((each) => each.instanceId),
          minAgeMs: leaseMs / 3,
        },
        clock.now(),
      ),
    );
    if (returned > 0) wakeBus.wake();
    return { lost: lost.map(refOf), leaseMs };
  }

  async control({ workerId, attempts }: ControlAsk): Promise<readonly ControlAnswer[]> {
    const { database, clock } = this.#options;
    const controlled = await controlAttempts(database, workerId, attempts);
    const demandsOf = new Map(attempts.map((each) => [each.instanceId, each.demands]));
    const asks = controlled.flatMap(({ instanceId, limited }) =>
      limited.map(({ id, name }) => ({
        dataSourceId: id,
        instanceId,
        want: demandsOf.get(instanceId)?.[name],
      })),
    );
    const shares =
      asks.length === 0
        ? []
        : await database.transaction((tx) =>
            leaseRateShares(tx, asks, SHARE_LEASE_MS, clock.now()),
          );
    return controlled.map(({ channel, limited, ...attempt }) => ({
      ...attempt,
      news: {
        change: channel,
        shares: Object.fromEntries(
          shares.flatMap(({ instanceId, dataSourceId, rate }) => {
            const source = limited.find(({ id }) => id === dataSourceId);
            return source && instanceId === attempt.instanceId ? [[source.name, rate]] : [];
          }),
        ),
        sharesForMs: SHARE_LEASE_MS,
      },
    }));
  }

  async started(workerId: number, attempts: readonly AttemptRef[]): Promise<void> {
    const own = await this.#own(workerId, attempts);
    if (own.length === 0) return;
    const { database, clock, wakeBus } = this.#options;
    await (own.length <= FEW ? database.few : database).transaction((tx) =>
      markStarted(tx, own, clock.now()),
    );
    wakeBus.wake('news');
  }

  async finish(workerId: number, reports: readonly FinishReport[]): Promise<readonly AttemptRef[]> {
    return (await this.#batcher.finish(workerId, reports)).map(refOf);
  }

  async log(workerId: number, chunks: readonly LogChunk[]): Promise<void> {
    const own = await this.#own(workerId, chunks);
    const ids = new Set(own.map((ref) => ref.instanceId));
    const kept = chunks.filter((chunk) => ids.has(chunk.instanceId));
    if (kept.length === 0) return;
    await insertLogChunks(this.#options.database, kept);
    this.#options.wakeBus.wake('news');
  }

  async quarantine(
    workerId: number,
    attempt: AttemptRef,
    records: readonly DirtyRow[],
  ): Promise<void> {
    const [own] = await this.#own(workerId, [attempt]);
    if (own === undefined || records.length === 0) return;
    await this.#options.database.run(
      `INSERT INTO dirty_record (plan_day, instance_id, epoch, no, slice_no, column_name, code, sql_state, reason, cells,
              columns, key, class, stage, original)
       SELECT $1, $2, $3, d.no, d."sliceNo", d."column", d.code, d."sqlState", d.reason, d.cells, d.columns, d.key, d.class,
              coalesce(d.stage, 'target'), d.original
         FROM jsonb_to_recordset($4::jsonb) AS d(no int, "sliceNo" int, "column" text, code text, "sqlState" text, reason text,
              cells jsonb, columns jsonb, key jsonb, class text, stage text, original jsonb)
       ON CONFLICT DO NOTHING`,
      [own.planDay, own.instanceId, own.epoch, storableJson(records)],
    );
  }

  async keepOutputs(
    workerId: number,
    attempt: AttemptRef,
    outputs: ProducedOutputs,
  ): Promise<void> {
    const kept = await this.#options.database.rows(
      // What has been taken back must not leave anything that a newer attempt did not say.
      `UPDATE attempt SET outputs = $5
        WHERE plan_day = $1 AND instance_id = $2 AND epoch = $3 AND worker_id = $4 AND ended_at IS NULL
       RETURNING epoch`,
      [attempt.planDay, attempt.instanceId, attempt.epoch, workerId, JSON.stringify(outputs)],
    );
    if (kept.length > 0) return;
    throw new MillraceError('MR-S204', 'The attempt is not this worker’s any more.');
  }

  async answer(workerId: number, part: RequestAnswer): Promise<void> {
    const { database, box, wakeBus } = this.#options;
    await answerRequest(database, box, { workerId, ...part });
    wakeBus.wake('news');
  }

  async goodbye(workerId: number): Promise<void> {
    const { database, clock, wakeBus } = this.#options;
    await database.transaction(async (tx) => {
      await returnAttempts(tx, { workerId, held: [], minAgeMs: 0 }, clock.now());
      await tx.run(`UPDATE worker SET ended_at = clock_timestamp() WHERE id = $1`, [workerId]);
      await tx.run(
        `UPDATE worker_lease SET lease_until = clock_timestamp() - interval '1 ms' WHERE worker_id = $1`,
        [workerId],
      );
    });
    this.#workers.delete(workerId);
    wakeBus.wake();
  }

  async #worker(workerId: number): Promise<WorkerInfo> {
    const known = this.#workers.get(workerId);
    if (known !== undefined) return known;
    const [row] = await this.#options.database.rows<WorkerInfo>(
      `SELECT resource_group_id AS "resourceGroupId", node_types AS "nodeTypes",
              data_source_types AS "dataSourceTypes", labels
         FROM worker WHERE id = $1 AND ended_at IS NULL`,
      [workerId],
    );
    if (row === undefined) throw new MillraceError('MR-A104', `There is no worker ${workerId}.`);
    this.#workers.set(workerId, row);
    return row;
  }

  /** Which of these attempts were given to this worker: a group's token opens nothing of another's. */
  async #own(workerId: number, attempts: readonly AttemptRef[]): Promise<AttemptRef[]> {
    if (attempts.length === 0) return [];
    const rows = await this.#options.database.few.rows<{ instance_id: number; epoch: number }>(
      `SELECT instance_id, epoch FROM attempt
        WHERE plan_day ${onDays('$1')} AND instance_id = ANY($2::bigint[]) AND worker_id = $3`,
      [
        daysOf(attempts.map((each) => each.planDay)),
        [...new Set(attempts.map((each) => each.instanceId))],
        workerId,
      ],
    );
    const own = new Set(rows.map((row) => `${row.instance_id}:${row.epoch}`));
    return attempts.filter((each) => own.has(`${each.instanceId}:${each.epoch}`)).map(refOf);
  }

  async #look(ask: PollAsk, worker: WorkerInfo): Promise<PollAnswer> {
    const { database, leaseMs } = this.#options;
    const [there] = await database.few.rows<{
      ready: boolean;
      laned: boolean;
      request: boolean;
      lapsing: boolean;
      draining: boolean;
      stops: AttemptRef[] | null;
    }>(
      `SELECT EXISTS (SELECT FROM ready_instance WHERE resource_group_id = $2 AND gate_id = 0
                         AND labels = '' AND node_type = ANY($3::text[])) AS ready,
              EXISTS (SELECT FROM ready_instance
                       WHERE resource_group_id = $2 AND (gate_id, labels) > (0, '')) AS laned,
              (SELECT w.draining OR g.draining FROM worker w
                 JOIN resource_group g ON g.id = w.resource_group_id WHERE w.id = $1) AS draining,
              EXISTS (SELECT FROM request WHERE resource_group_id = $2 AND state = 'waiting') AS request,
              EXISTS (SELECT FROM worker_lease WHERE worker_id = $1
                         AND lease_until < clock_timestamp() + $4 / 2 * interval '1 ms') AS lapsing,
              (SELECT jsonb_agg(jsonb_build_object('planDay', plan_day, 'instanceId', instance_id,
                        'epoch', epoch))
                 FROM running_attempt WHERE worker_id = $1 AND stop_requested) AS stops`,
      [ask.workerId, worker.resourceGroupId, worker.nodeTypes, leaseMs],
    );
    if (there?.lapsing === true && ask.free > 0)
      await refreshLease(database, ask.workerId, leaseMs);
    const stopping = new Set(ask.stopping.map((each) => `${each.instanceId}:${each.epoch}`));
    const takes = there?.draining === false;
    return {
      claims:
        takes && ask.free > 0 && (there.ready || (there.laned && (await this.#hasOpenLane(worker))))
          ? await this.#claimSome(ask, worker, there.laned)
          : [],
      requests:
        takes && there.request && ask.freeRequests > 0
          ? await this.#claimRequests(ask, worker)
          : [],
      stops: (there?.stops ?? []).filter(
        (each) => !stopping.has(`${each.instanceId}:${each.epoch}`),
      ),
    };
  }

  async #claimSome(ask: PollAsk, worker: WorkerInfo, isLaned: boolean): Promise<readonly Claim[]> {
    const group = worker.resourceGroupId;
    const some = Math.min(ask.free, FEW);
    // Behind a claim that has the group's row there would be nothing to be had.
    if (!isLaned && !this.#crowded.has(group) && !this.#claims.has(group)) {
      const claims = await this.#batcher.claim(ask, worker);
      if (claims.length >= some) this.#crowded.add(group);
      if (claims.length > 0) return claims;
    }
    const claims = await this.#claims.take(group, () => this.#claim(ask, worker));
    if (claims.length < some) this.#crowded.delete(group);
    return claims;
  }

  /** What a closed gate holds must not make every worker claim in vain. */
  async #hasOpenLane({ resourceGroupId, labels }: WorkerInfo): Promise<boolean> {
    return (await openLanes(this.#options.database, resourceGroupId, labels)).length > 0;
  }

  async #claim(ask: PollAsk, worker: WorkerInfo): Promise<Claim[]> {
    const { database, wakeBus } = this.#options;
    const claims = await database.few.transaction((tx) =>
      claimInstances(tx, ask, worker, this.#options),
    );
    if (claims.length > 0) wakeBus.wake('news');
    return claims;
  }

  async #claimRequests(ask: PollAsk, worker: WorkerInfo): Promise<PollAnswer['requests']> {
    const { database, box } = this.#options;
    const requests = await claimRequests(database, box, {
      workerId: ask.workerId,
      resourceGroupId: worker.resourceGroupId,
      types: worker.dataSourceTypes,
      limit: ask.freeRequests,
    });
    return requests.map((each) => ({ ...each, deadline: each.deadline.toISOString() }));
  }

  /** The worker has gone while its claims were being made. */
  async #giveBack(workerId: number, { claims }: PollAnswer): Promise<PollAnswer> {
    if (claims.length > 0)
      await this.finish(
        workerId,
        claims.map((claim) => ({ ...refOf(claim), outcome: 'returned' as const })),
      );
    return NOTHING;
  }
}

const NOTHING: PollAnswer = { claims: [], requests: [], stops: [] };

function isSomething(answer: PollAnswer): boolean {
  return answer.claims.length + answer.requests.length + answer.stops.length > 0;
}

function refOf(ref: AttemptRef): AttemptRef {
  return { planDay: ref.planDay, instanceId: ref.instanceId, epoch: ref.epoch };
}
