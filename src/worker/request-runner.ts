import type { BrowseRequest } from '@millrace/sdk';

import type { PluginHost } from '../plugin-host/plugin-host.js';
import type { AnswerBody, InteractiveRequest, WorkerLink } from '../worker-link/worker-link.js';
import type { AttemptHost } from './attempt/attempt-host.js';
import type { AttemptTask } from './attempt/attempt-job.js';

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
  const handle = host.run(
    {
      task: taskOf(job),
      identity: {
        installation: '',
        nodeId: '0',
        nodeName: job.kind,
        instanceId: request.id,
        runNumber: 1,
        attempt: 1,
        fence: '0',
        scheduledTime: now().toISOString(),
        bizdate: now().toISOString().slice(0, 10),
      },
      parameters: {},
      dataSources: [],
      plugins: plugins.pluginsOf([{ kind: 'dataSource', type: job.dataSourceType }]),
    },
    {
      onLog: () => undefined,
      onAnswer: (step) => send({ kind: 'step', step }, false),
    },
  );
  const leftMs = Math.max(0, new Date(request.deadline).getTime() - now().getTime());
  const deadline = setTimeout(() => handle.cancel('deadline'), leftMs);
  const outcome = await handle.result;
  clearTimeout(deadline);
  if (outcome.status === 'failed') {
    send({ kind: 'error', code: outcome.code, detail: outcome.detail }, true);
  } else if (outcome.status === 'cancelled') {
    send({ kind: 'error', code: 'MR-A108', detail: 'It took longer than the deadline.' }, true);
  } else if (job.kind === 'browse') {
    send({ kind: 'browse', answer: outcome.answer }, true);
  } else {
    send({ kind: 'end' }, true);
  }
  await sent;
}

function taskOf(job: InteractiveRequest['job']): AttemptTask {
  return job.kind === 'browse' ? { ...job, request: job.request as BrowseRequest } : job;
}
