import type { Clock } from '../domain/clock.js';
import { MillraceError } from '../domain/errors.js';
import { type Database, FEW, sqlStateOf } from '../store/database.js';
import { type Ending, finishInstances } from '../store/sql/finish-instances.sql.js';
import { insertLogChunks } from '../store/sql/insert-log-chunks.sql.js';
import type { WakeBus } from '../store/wake-bus.js';
import type { PollingWorker } from './claim-instances.js';
import type { HandOver } from './hand-over.js';
import type { TakenPoll } from './waiting-polls.js';
import type { Claim, FinishReport, LogChunk, PollAsk } from './worker-link.js';

export interface LineBatcherOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly wakeBus: WakeBus;
  readonly crashPoint: (name: string) => Promise<void>;
  /** For what becomes ready in one transaction. */
  readonly handOver: () => HandOver;
}

interface Waiting {
  readonly report: FinishReport;
  readonly ending: Ending;
  readonly resolve: (refused: boolean) => void;
  readonly reject: (error: unknown) => void;
}

const MAX_BATCH = 200;
const MAX_ASKING_MS = 20;

/**
 * Ends attempts of all workers, and claims for one, in as few transactions as the load asks for: the first goes
 * at once, and what arrives while its transaction runs shares the next one.
 */
export class LineBatcher {
  readonly #options: LineBatcherOptions;
  #queue: Waiting[] = [];
  /** A poll whose claims go with the next ends, or with those under way that have not come to theirs. */
  #asking: TakenPoll | undefined;
  /** How many ends the transaction under way has. */
  #underWay: number | undefined;

  constructor(options: LineBatcherOptions) {
    this.#options = options;
  }

  /** Resolves after the commit with the reports of which nothing was kept: they were not the worker's, or not any more. */
  async finish(workerId: number, reports: readonly FinishReport[]): Promise<FinishReport[]> {
    const arrivedAt = this.#options.clock.now();
    const refused = await Promise.all(
      reports
        .map(
          (report) =>
            new Promise<boolean>((resolve, reject) => {
              const ending = { ...endingOf(report, arrivedAt), workerId };
              this.#queue.push({ report, ending, resolve, reject });
            }),
        )
        .concat(this.#drain()),
    );
    return reports.filter((_, at) => refused[at]);
  }

  /**
   * Claims a few instances in the transaction of what ends meanwhile. Apart they were in each other's way: while a
   * worker claimed upstreams, nothing that ended could be handed over to it (a third of all downstreams, which
   * started 6 ms later). Empty: nothing could be had without waiting, or the line has too much to do.
   */
  async claim(ask: PollAsk, worker: PollingWorker): Promise<readonly Claim[]> {
    if (this.#asking !== undefined || Math.max(this.#underWay ?? 0, this.#queue.length) > FEW)
      return [];
    return await new Promise<readonly Claim[]>((resolve) => {
      // What is ended may wait for locks that are none of the claim's.
      const late = setTimeout(() => {
        if (this.#asking !== poll) return;
        this.#asking = undefined;
        resolve([]);
      }, MAX_ASKING_MS);
      const poll: TakenPoll = {
        ask: { ...ask, free: Math.min(ask.free, FEW) },
        worker,
        give: (claims) => {
          clearTimeout(late);
          resolve(claims);
        },
      };
      this.#asking = poll;
      void this.#drain();
    });
  }

  async #drain(): Promise<boolean> {
    if (this.#underWay !== undefined) return false;
    try {
      while (this.#queue.length > 0 || this.#asking !== undefined) {
        const batch = this.#queue.splice(0, MAX_BATCH);
        this.#underWay = batch.length;
        await (batch.length > 0 ? this.#commitEnds(batch) : this.#commitClaims());
      }
    } finally {
      this.#underWay = undefined;
    }
    return false;
  }

  async #commitEnds(batch: readonly Waiting[], { handsOver = true } = {}): Promise<void> {
    const { database, clock, wakeBus, crashPoint } = this.#options;
    const handOver = handsOver ? this.#options.handOver() : undefined;
    const endings = batch.map(({ ending }) => ending);
    try {
      await crashPoint('finish:before-commit');
      const refused = await (batch.length <= FEW ? database.few : database).transaction(
        async (tx) => {
          const { readyGroups, overtaken, foreign } = await finishInstances(
            tx,
            endings,
            clock.now(),
            () => crashPoint('finish:before-release'),
          );
          const own = batch.filter(({ ending }) => !foreign.includes(ending));
          await insertLogChunks(tx, own.flatMap(logOf));
          this.#takeAlong(handOver);
          await handOver?.claim(tx, readyGroups);
          return [...overtaken, ...foreign];
        },
      );
      await crashPoint('finish:after-commit');
      handOver?.end(true);
      wakeBus.wake();
      const dropped = new Set(refused);
      for (const { ending, resolve } of batch) resolve(dropped.has(ending));
    } catch (error) {
      handOver?.end(false);
      if (handOver?.hasFailed === true) {
        await this.#commitEnds(batch, { handsOver: false });
        return;
      }
      // What one report says cannot be stored: it must not keep its neighbours from ending, and its worker
      // must not send it again.
      if (/^2[123]/.test(sqlStateOf(error) ?? '')) {
        if (batch.length > 1) for (const waiting of batch) await this.#commitEnds([waiting]);
        else batch[0]?.reject(unstorable(error));
        return;
      }
      for (const waiting of batch) waiting.reject(error);
    }
  }

  async #commitClaims(): Promise<void> {
    const handOver = this.#options.handOver();
    this.#takeAlong(handOver);
    try {
      await this.#options.database.few.transaction((tx) => handOver.claim(tx, []));
      if (handOver.end(true)) this.#options.wakeBus.wake('news');
    } catch {
      // Whoever asked claims by itself then, and meets whatever this was.
      handOver.end(false);
    }
  }

  #takeAlong(handOver: HandOver | undefined): void {
    if (handOver === undefined || this.#asking === undefined) return;
    handOver.take(this.#asking);
    this.#asking = undefined;
  }
}

/** Also of an attempt that a newer one has replaced: what it wrote is its own. */
function logOf({ report }: Waiting): LogChunk[] {
  const { planDay, instanceId, epoch, log = [] } = report;
  return log.map((piece) => ({ planDay, instanceId, epoch, ...piece }));
}

function unstorable(error: unknown): MillraceError {
  const words = error instanceof Error ? error.message : String(error);
  return new MillraceError('MR-A101', `The report cannot be stored: ${words}`, { cause: error });
}

/** Its start by the clock of whoever keeps it: that of the worker may be hours off. */
function endingOf(report: FinishReport, arrivedAt: Date): Ending {
  return {
    planDay: report.planDay,
    instanceId: report.instanceId,
    epoch: report.epoch,
    outcome: report.outcome,
    ...(report.startedMsAgo === undefined
      ? {}
      : { startedAt: new Date(arrivedAt.getTime() - report.startedMsAgo) }),
    ...(report.errorCode === undefined ? {} : { errorCode: report.errorCode }),
    ...(report.errorDetail === undefined ? {} : { errorDetail: report.errorDetail }),
    ...(report.outcome === 'succeeded' && Object.keys(report.outputs ?? {}).length > 0
      ? { outputs: report.outputs ?? {} }
      : {}),
    result: {
      ...(report.rows === undefined ? {} : { rows: report.rows }),
      ...(report.progress === undefined ? {} : { progress: report.progress }),
    },
  };
}
