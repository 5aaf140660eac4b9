import type { Clock } from '../domain/clock.js';
import { MillraceError } from '../domain/errors.js';
import { type Database, FEW, sqlStateOf } from '../store/database.js';
import { type Ending, finishInstances } from '../store/sql/finish-instances.sql.js';
import { insertLogChunks } from '../store/sql/insert-log-chunks.sql.js';
import type { WakeBus } from '../store/wake-bus.js';
import type { HandOver } from './hand-over.js';
import type { FinishReport, LogChunk } from './worker-link.js';

export interface FinishBatcherOptions {
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

/**
 * Ends attempts of all workers in as few transactions as the load asks for: the first report goes at
 * once, and those that arrive while its transaction runs share the next one.
 */
export class FinishBatcher {
  readonly #options: FinishBatcherOptions;
  #queue: Waiting[] = [];
  #busy = false;

  constructor(options: FinishBatcherOptions) {
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

  async #drain(): Promise<boolean> {
    if (this.#busy) return false;
    this.#busy = true;
    try {
      while (this.#queue.length > 0) await this.#commit(this.#queue.splice(0, MAX_BATCH));
    } finally {
      this.#busy = false;
    }
    return false;
  }

  async #commit(batch: readonly Waiting[], { handsOver = true } = {}): Promise<void> {
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
        await this.#commit(batch, { handsOver: false });
        return;
      }
      // What one report says cannot be stored: it must not keep its neighbours from ending, and its worker
      // must not send it again.
      if (/^2[123]/.test(sqlStateOf(error) ?? '')) {
        if (batch.length > 1) for (const waiting of batch) await this.#commit([waiting]);
        else batch[0]?.reject(unstorable(error));
        return;
      }
      for (const waiting of batch) waiting.reject(error);
    }
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
