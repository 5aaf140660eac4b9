import type { BrowseRequest } from '@millrace/sdk';

import { MillraceError } from '../domain/errors.js';
import type { PluginHost } from '../plugin-host/plugin-host.js';
import type {
  AnswerBody,
  Claim,
  InteractiveRequest,
  WorkerLink,
} from '../worker-link/worker-link.js';
import type { AttemptHost } from './attempt/attempt-host.js';
import type { AttemptJob, AttemptOutcome, AttemptTask } from './attempt/attempt-job.js';
import { failureOf } from './attempt/run-attempt.js';
import { attemptJobOf } from './attempt-job-of.js';
import { cellOfStored } from './stored-cells.js';

export interface RequestRunnerOptions {
  readonly link: WorkerLink;
  readonly workerId: number;
  readonly plugins: PluginHost;
  readonly host: AttemptHost;
  readonly now: () => Date;
}

/** Runs one interactive request and streams its answer back until the deadline. Never rejects. */
export async function runRequest(
  request: InteractiveRequest,
  options: RequestRunnerOptions,
): Promise<void> {
  const { link, workerId, plugins, host, now } = options;
  const { job } = request;
  let no = 0;
  let sent: Promise<void> = Promise.resolve();
  const send = (body: AnswerBody, last: boolean): void => {
    const part = { requestId: request.id, no: no++, body, last };
    sent = sent.then(() => link.answer(workerId, part)).catch(() => undefined);
  };
  const dirty: ReplayedDirty[] = [];
  let attempt: AttemptJob;
  try {
    attempt = jobOf(request, plugins, now());
  } catch (error) {
    const { code, detail } = failureOf(error);
    send({ kind: 'error', code, detail }, true);
    await sent;
    return;
  }
  const handle = host.run(attempt, {
    onLog: () => undefined,
    onAnswer: (step) => send({ kind: 'step', step }, false),
    onDirty: (records) => {
      for (const { sliceNo, column, code, reason } of records) {
        dirty.push({
          no: sliceNo ?? null,
          code,
          reason,
          ...(column === undefined ? {} : { column }),
        });
      }
    },
  });
  const leftMs = Math.max(0, new Date(request.deadline).getTime() - now().getTime());
  const deadline = setTimeout(() => handle.cancel('deadline'), leftMs);
  const outcome = await handle.result;
  clearTimeout(deadline);
  send(lastOf(outcome, job.kind, dirty), true);
  await sent;
}

function jobOf({ id, job }: InteractiveRequest, plugins: PluginHost, now: Date): AttemptJob {
  if (job.kind === 'replay') return replayJobOf(job, plugins);
  if (job.kind === 'preview') return previewJobOf(job, plugins);
  return {
    task: taskOf(job),
    identity: {
      installation: '',
      nodeId: '0',
      nodeName: job.kind,
      instanceId: id,
      runNumber: 1,
      attempt: 1,
      fence: '0',
      scheduledTime: now.toISOString(),
      bizdate: now.toISOString().slice(0, 10),
    },
    parameters: {},
    dataSources: [],
    plugins: plugins.pluginsOf([{ kind: 'dataSource', type: job.dataSourceType }]),
  };
}

/** What the asker hears last. */
function lastOf(
  outcome: AttemptOutcome,
  kind: InteractiveRequest['job']['kind'],
  dirty: readonly ReplayedDirty[],
): AnswerBody {
  if (kind === 'replay' && outcome.status === 'failed' && dirty.length > 0) {
    return { kind: 'browse', answer: { dirty } };
  }
  if (outcome.status === 'failed') {
    return { kind: 'error', code: outcome.code, detail: outcome.detail };
  }
  if (outcome.status === 'cancelled') {
    return { kind: 'error', code: 'MR-A108', detail: 'It took longer than the deadline.' };
  }
  if (kind === 'replay') return { kind: 'browse', answer: { dirty: [] } };
  const hasAnswer = kind === 'browse' || kind === 'preview' || kind === 'presence';
  return hasAnswer ? { kind: 'browse', answer: outcome.answer } : { kind: 'end' };
}

interface ReplayedDirty {
  /** Index of the record; null: one of them. */
  readonly no: number | null;
  readonly column?: string;
  readonly code: string;
  readonly reason: string;
}

/** Above every fence of a run, so that no later run takes the ledger row of a replay for one of its own. */
const REPLAY_FENCE = 10n ** 30n;

/** The instance's own attempt once more, with a ledger key of this replay. */
function replayJobOf(
  job: Extract<InteractiveRequest['job'], { kind: 'replay' }>,
  plugins: PluginHost,
): AttemptJob {
  const { settledFence: _, ...claim } = job.claim as Claim;
  const attempt = attemptJobOf(claim, plugins);
  if (attempt.task.kind !== 'sync') {
    throw new MillraceError('MR-D221', `${claim.nodeName} is not a sync node`);
  }
  const replay = job.records.map(({ cells, stage }) => ({ stage, cells: cells.map(cellOfStored) }));
  return {
    ...attempt,
    task: { ...attempt.task, replay },
    identity: {
      ...attempt.identity,
      runNumber: 1,
      attempt: job.tryNo,
      fence: String(REPLAY_FENCE + BigInt(job.tryNo)),
      scheduledTime: `replay:${job.replayNo}`,
    },
  };
}

/** An attempt that reads some rows and writes none. */
function previewJobOf(
  job: Extract<InteractiveRequest['job'], { kind: 'preview' }>,
  plugins: PluginHost,
): AttemptJob {
  const claim = job.claim as Claim;
  const attempt = attemptJobOf(claim, plugins);
  if (attempt.task.kind !== 'sync') {
    throw new MillraceError('MR-A101', `${claim.nodeName} is not a sync node`);
  }
  return { ...attempt, task: { ...attempt.task, previewRows: job.rows } };
}

function taskOf(
  job: Exclude<InteractiveRequest['job'], { kind: 'replay' | 'preview' }>,
): AttemptTask {
  return job.kind === 'browse' ? { ...job, request: job.request as BrowseRequest } : job;
}
