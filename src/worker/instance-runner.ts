import type { DirtyRecord, Outputs, Progress } from '@millrace/sdk';

import type { ChannelNews, RateDemands } from '../domain/channel/channel-change.js';
import { ERRORS, isRegisteredCode } from '../domain/error-registry.js';
import { MillraceError, registeredCodeOf } from '../domain/errors.js';
import { type HiddenValue, hideSecrets } from '../domain/hide-secrets.js';
import { type PluginHost, SYNC_NODE_TYPE } from '../plugin-host/plugin-host.js';
import type {
  AttemptRef,
  Claim,
  ControlAsk,
  DirtyRow,
  FinishReport,
  WorkerLink,
} from '../worker-link/worker-link.js';
import { attemptJobOf, isFenced } from './attempt-job-of.js';
import { storedCell } from './stored-cells.js';
import type { AttemptHost } from './attempt/attempt-host.js';
import type { AttemptHandle, AttemptOutcome, LogStream } from './attempt/attempt-job.js';
import { LogShipper } from './log-shipper.js';

export interface InstanceRunnerOptions {
  readonly link: WorkerLink;
  readonly workerId: number;
  readonly workerName: string;
  readonly plugins: PluginHost;
  readonly host: AttemptHost;
  readonly now: () => Date;
  /** Longest pause before the link is asked again while it does not answer. */
  readonly maxRetryMs: number;
  readonly crashPoint: (name: string, instance?: string) => Promise<void>;
  /** Its work begins. */
  readonly onStart: () => void;
}

/** What is over sooner tells its start with its report: one call and half of the rows. */
const TELL_START_MS = 50;

/** What no later call will answer otherwise. */
const REFUSALS: ReadonlySet<string> = new Set([
  'MR-A101',
  'MR-A102',
  'MR-A103',
  'MR-A104',
  'MR-S204',
]);

/** Why an attempt was asked to stop. `lost`: it is another worker's now and nothing may be reported. */
export type StopReason = 'stop' | 'timeout' | 'lost' | 'shutdown' | 'no-renewal';

/** Runs one claimed attempt to its report. */
export class InstanceRunner {
  readonly claim: Claim;
  readonly isFenced: boolean;
  /** Settles when the report has been taken, or nobody wants it any more. Never rejects. */
  readonly done: Promise<void>;
  readonly #options: InstanceRunnerOptions;
  readonly #log: LogShipper;
  readonly #secrets: readonly HiddenValue[];
  #handle: AttemptHandle | undefined;
  #stopReason: StopReason | undefined;
  #progress: Progress | undefined;
  #demands: RateDemands = {};
  #startedAt: number | undefined;
  #isStartTold = false;
  #dirtyNo = 0;

  constructor(claim: Claim, options: InstanceRunnerOptions) {
    this.claim = claim;
    this.#options = options;
    this.#secrets = hiddenValuesOf(claim.dataSources);
    this.isFenced = isFenced(claim, options.plugins);
    this.#log = new LogShipper({
      attempt: this.ref,
      send: (chunks) => options.link.log(options.workerId, chunks),
      now: options.now,
      maxRetryMs: options.maxRetryMs,
    });
    this.done = this.#run();
  }

  get ref(): AttemptRef {
    const { planDay, instanceId, epoch } = this.claim;
    return { planDay, instanceId, epoch };
  }

  get isStopping(): boolean {
    return this.#stopReason !== undefined;
  }

  get progress(): Progress | undefined {
    return this.#progress;
  }

  /** What it has to tell once a second; undefined: it is no sync, or does not run. */
  get control(): ControlAsk['attempts'][number] | undefined {
    if (this.claim.nodeType !== SYNC_NODE_TYPE || this.#handle === undefined) return undefined;
    return {
      ...this.ref,
      ...(this.#progress === undefined ? {} : { progress: this.#progress }),
      demands: this.#demands,
    };
  }

  tell(news: ChannelNews): void {
    this.#handle?.tell(news);
  }

  stop(reason: StopReason): void {
    if (reason === 'lost') this.#log.abandon();
    // A lost attempt stays lost whatever it was stopped for before.
    this.#stopReason = reason === 'lost' ? reason : (this.#stopReason ?? reason);
    this.#handle?.cancel(reason);
  }

  async #run(): Promise<void> {
    const crashPoint = (name: string): Promise<void> =>
      this.#options.crashPoint(name, String(this.claim.instanceId));
    await crashPoint('worker:claimed');
    const report = await this.#execute();
    if (this.#stopReason === 'lost') return;
    await this.#write(
      'info',
      `${report.outcome}${report.errorCode === undefined ? '' : ` ${report.errorCode}`}`,
    );
    const log = await this.#log.end();
    await crashPoint('worker:before-finish');
    await this.#report(log.length === 0 ? report : { ...report, log });
    await crashPoint('worker:after-finish');
  }

  async #execute(): Promise<FinishReport> {
    const { link, workerId, workerName, plugins, host } = this.#options;
    const { claim } = this;
    try {
      await this.#write(
        'info',
        `${claim.nodeName} (${claim.nodeType}), business date ${claim.bizdate}, run ${claim.runNumber}, ` +
          `attempt ${claim.attempt}, on worker ${workerName}`,
      );
      if (claim.problem !== undefined) {
        throw new MillraceError(claim.problem.code, claim.problem.detail);
      }
      const job = attemptJobOf(claim, plugins);
      this.#startedAt = performance.now();
      // Not awaited: a slow link must not keep the work waiting, and a claim is proof enough.
      const telling = setTimeout(() => {
        this.#isStartTold = true;
        void link.started(workerId, [this.ref]).catch(() => undefined);
      }, TELL_START_MS);
      this.#handle = host.run(job, {
        onLog: (stream, bytes, at) => this.#onLog(stream, this.#hidden(stream, bytes), at),
        onProgress: (progress) => {
          this.#progress = { ...this.#progress, ...progress };
        },
        onDemand: (demands) => {
          this.#demands = demands;
        },
        onDirty: (records) => this.#onDirty(records),
        onOutputs: (outputs) => this.#keepOutputs(outputs),
      });
      this.#options.onStart();
      if (this.#stopReason !== undefined) this.#handle.cancel(this.#stopReason);
      const timeout = setTimeout(
        () => this.stop('timeout'),
        Math.min(claim.timeoutMs, 2 ** 31 - 1),
      );
      const outcome = await this.#handle.result;
      clearTimeout(timeout);
      clearTimeout(telling);
      return await this.#reportOf(outcome);
    } catch (error) {
      const code = registeredCodeOf(error) ?? 'MR-P105';
      const detail = hideSecrets(detailOf(error), this.#secrets);
      await this.#explain(code, detail);
      return { ...this.ref, outcome: 'failed', errorCode: code, errorDetail: detail };
    }
  }

  async #reportOf(outcome: AttemptOutcome): Promise<FinishReport> {
    const progress = this.#progress === undefined ? {} : { progress: this.#progress };
    if (outcome.status === 'succeeded') {
      const rows = outcome.sync?.rowsWritten ?? outcome.rows;
      return {
        ...this.ref,
        outcome: 'succeeded',
        outputs: outcome.outputs,
        ...(rows === undefined ? {} : { rows }),
        ...progress,
      };
    }
    if (this.#stopReason === 'shutdown') {
      return { ...this.ref, outcome: 'returned', ...progress };
    }
    if (this.#stopReason === 'no-renewal') {
      await this.#explain('MR-S204', 'The worker could not renew its lease and ended the attempt.');
      return { ...this.ref, outcome: 'lost', ...progress };
    }
    const [code, detail] = this.#failureOf(outcome);
    await this.#explain(code, detail);
    return {
      ...this.ref,
      outcome: this.#stopReason === 'stop' ? 'cancelled' : 'failed',
      errorCode: code,
      errorDetail: detail,
      ...progress,
    };
  }

  #failureOf(outcome: Exclude<AttemptOutcome, { status: 'succeeded' }>): [string, string] {
    switch (this.#stopReason) {
      case 'stop':
        return ['MR-S203', 'A user stopped it.'];
      case 'timeout':
        return ['MR-S202', `It ran longer than ${this.claim.timeoutMs} ms.`];
      case 'no-renewal':
      case 'lost':
      case 'shutdown':
      case undefined:
        return outcome.status === 'failed'
          ? [outcome.code, hideSecrets(outcome.detail, this.#secrets)]
          : ['MR-P105', hideSecrets(outcome.reason, this.#secrets)];
      default:
        return this.#stopReason satisfies never;
    }
  }

  /** A failure in the log reads like everywhere else: code, title, the system's own words, what to do. */
  async #explain(code: string, detail: string): Promise<void> {
    await this.#write(
      'error',
      isRegisteredCode(code) ? `${code} ${ERRORS[code].title}: ${detail}` : `${code}: ${detail}`,
    );
    if (isRegisteredCode(code)) await this.#write('error', `fix: ${ERRORS[code].help}`);
  }

  async #report(outcome: FinishReport): Promise<void> {
    const { link, workerId, maxRetryMs } = this.#options;
    let report = outcome;
    for (
      let delayMs = 100;
      this.#stopReason !== 'lost';
      delayMs = Math.min(maxRetryMs, delayMs * 2)
    ) {
      try {
        await link.finish(workerId, [{ ...report, ...this.#startToTell() }]);
        return;
      } catch (error) {
        const code = registeredCodeOf(error);
        // Nobody will ever take anything from this worker: the store takes the attempt back by its lease.
        if (code === 'MR-A102' || code === 'MR-A103') return;
        if (code === 'MR-A101') {
          if (report !== outcome) return;
          // What it says cannot be kept, but that it has ended can: sent as it is, it would come for ever.
          const errorDetail = `Its report was refused: ${detailOf(error)}`;
          const { log } = outcome;
          report = {
            ...this.ref,
            outcome: 'failed',
            errorCode: code,
            errorDetail,
            ...(log && { log }),
          };
          continue;
        }
        // The outcome stays ours to report as long as the lease is.
        await new Promise((resolve) => setTimeout(resolve, delayMs));
      }
    }
  }

  #startToTell(): Pick<FinishReport, 'startedMsAgo'> {
    if (this.#startedAt === undefined || this.#isStartTold) return {};
    return { startedMsAgo: performance.now() - this.#startedAt };
  }

  /** Nothing is committed before they are kept: while the link is away the attempt waits for it. */
  async #keepOutputs(outputs: Outputs): Promise<void> {
    const { link, workerId, maxRetryMs } = this.#options;
    for (let delayMs = 100; ; delayMs = Math.min(maxRetryMs, delayMs * 2)) {
      try {
        await link.keepOutputs(workerId, this.ref, outputs);
        return;
      } catch (error) {
        const code = registeredCodeOf(error);
        if (this.isStopping || (code !== undefined && REFUSALS.has(code))) throw error;
        await new Promise((resolve) => setTimeout(resolve, delayMs));
      }
    }
  }

  async #write(stream: LogStream, text: string): Promise<void> {
    await this.#onLog(stream, Buffer.from(`${text}\n`), this.#options.now().getTime());
  }

  async #onLog(stream: LogStream, bytes: Uint8Array, at: number): Promise<void> {
    if (stream === 'stdout' || stream === 'stderr') {
      await this.#log.write(bytes);
      return;
    }
    const level = stream === 'info' ? 'INFO ' : stream === 'warn' ? 'WARN ' : 'ERROR';
    const text = Buffer.from(bytes).toString('utf8').replace(/\n$/, '');
    // Entries of one kind arrive together; each line carries its own stamp, so that a search finds it whole.
    const stamp = `${new Date(at).toISOString()} ${level} `;
    await this.#log.write(Buffer.from(`${stamp}${text.replaceAll('\n', `\n${stamp}`)}\n`));
  }

  /** What a plugin says may repeat host, port and user; output of commands is bytes of any kind and has none. */
  #hidden(stream: LogStream, bytes: Uint8Array): Uint8Array {
    if (stream === 'stdout' || stream === 'stderr' || this.#secrets.length === 0) return bytes;
    return Buffer.from(hideSecrets(Buffer.from(bytes).toString('utf8'), this.#secrets));
  }

  async #onDirty(records: readonly DirtyRecord[]): Promise<void> {
    const rows = records.map((record): DirtyRow => {
      const { column, cells, original, ...rest } = record;
      const bytes = original && Buffer.from(original.bytes).toString('base64');
      return {
        no: this.#dirtyNo++,
        ...rest,
        ...(original === undefined || bytes === undefined
          ? {}
          : { original: { place: original.place, base64: bytes } }),
        ...(column === undefined ? {} : { column }),
        cells: cells.map(storedCell),
      };
    });
    await this.#options.link.quarantine(this.#options.workerId, this.ref, rows);
  }
}

/**
 * Named after the data source, so that a message still tells which of two servers it is about; but for a
 * value that both have, and for hosts, whose address may be another one's name.
 */
function hiddenValuesOf(sources: Claim['dataSources']): HiddenValue[] {
  const found = sources.flatMap(({ name, secret }) =>
    Object.entries(secret).flatMap(([pointer, value]) =>
      typeof value === 'string' || typeof value === 'number'
        ? [{ name, field: pointer.split('/').at(-1) ?? '', value }]
        : [],
    ),
  );
  return found.map(({ name, field, value }) => {
    const isShared = found.some((other) => other.value === value && other.name !== name);
    return { label: isShared || field === 'host' ? field : `${name} ${field}`, value };
  });
}

function detailOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'detail' in error) return String(error.detail);
  return error instanceof Error ? error.message : String(error);
}
