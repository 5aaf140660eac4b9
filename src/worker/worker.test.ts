import { afterEach, describe, expect, test } from '@jest/globals';

import { MillraceError } from '../domain/errors.js';
import { PluginHost } from '../plugin-host/plugin-host.js';
import type {
  Claim,
  FinishReport,
  PollAnswer,
  PollAsk,
  WorkerLink,
} from '../worker-link/worker-link.js';
import { LINK_PROTOCOL } from '../worker-link/worker-link.js';
import { AttemptHost } from './attempt/attempt-host.js';
import { Worker } from './worker.js';

const NOTHING: PollAnswer = { claims: [], requests: [], stops: [] };

/** A link that has nothing to do, but for what a test replaces. */
function linkOf(parts: Partial<WorkerLink>): WorkerLink {
  return {
    register: () => Promise.resolve({ workerId: 1, installation: 'test', protocol: LINK_PROTOCOL }),
    poll: (_, signal) => untilAborted(signal),
    renew: () => Promise.resolve({ lost: [], leaseMs: 1000 }),
    control: () => Promise.resolve([]),
    started: () => Promise.resolve(),
    finish: () => Promise.resolve([]),
    log: () => Promise.resolve(),
    quarantine: () => Promise.resolve(),
    keepOutputs: () => Promise.resolve(),
    answer: () => Promise.resolve(),
    goodbye: () => Promise.resolve(),
    ...parts,
  };
}

async function untilAborted(signal: AbortSignal): Promise<PollAnswer> {
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  return NOTHING;
}

let worker: Worker | undefined;
afterEach(async () => {
  await worker?.stop();
});

async function start(link: WorkerLink): Promise<void> {
  worker = new Worker({
    link,
    name: 'w',
    resourceGroup: 'default',
    capacity: 1,
    labels: [],
    plugins: await PluginHost.open([]),
    host: new AttemptHost({ home: '/nonexistent', graceMs: 10, warmThreads: 0 }),
    renewMs: 20,
    stopMs: 60,
    logger: { info: () => undefined, warn: () => undefined },
    now: () => new Date(),
    crashPoint: () => Promise.resolve(),
  });
  await worker.start();
}

describe('a worker', () => {
  test('takes a link that hangs for one that does not answer, and renews again', async () => {
    let renewals = 0;
    const twice = new Promise<void>((resolve) => {
      void start(
        linkOf({
          renew: () => {
            if (++renewals < 2) return new Promise(() => undefined);
            resolve();
            return Promise.resolve({ lost: [], leaseMs: 1000 });
          },
        }),
      );
    });
    await twice;
    expect(renewals).toBe(2);
  });

  test('asks for interactive requests again as soon as it can take one, also after one it cannot run', async () => {
    const asks: PollAsk[] = [];
    const request = (id: string) => ({
      id,
      job: { kind: 'connectivity', dataSourceType: 'unknown', config: {} },
      deadline: new Date(Date.now() + 30_000).toISOString(),
    });
    const asked = new Promise<void>((resolve) => {
      void start(
        linkOf({
          poll: (ask, signal) => {
            asks.push(ask);
            if (asks.length === 1) {
              const requests = [request('a'), request('b')] as PollAnswer['requests'];
              return Promise.resolve({ ...NOTHING, requests });
            }
            if (ask.freeRequests === 2) resolve();
            return untilAborted(signal);
          },
        }),
      );
    });
    await asked;
    expect(asks.map((ask) => ask.freeRequests).at(-1)).toBe(2);
  });

  test('reports a failure where its report cannot be taken, instead of sending it for ever', async () => {
    const reports = await reportsUntilFree(({ errorCode }) =>
      errorCode === 'MR-S104' ? new MillraceError('MR-A101', 'rows is not a number') : undefined,
    );
    expect(reports.map(({ outcome, errorCode }) => `${outcome} ${errorCode}`)).toEqual([
      'failed MR-S104',
      'failed MR-A101',
    ]);
    expect(reports[1]?.errorDetail).toContain('rows is not a number');
  });

  test.each(['MR-A102', 'MR-A103'] as const)(
    'has a free place again when its report is refused for good (%s)',
    async (code) => {
      const reports = await reportsUntilFree(() => new MillraceError(code, 'refused'));
      expect(reports).toHaveLength(1);
    },
  );

  test('sends a report again while the link does not answer', async () => {
    let left = 2;
    const reports = await reportsUntilFree(() =>
      left-- > 0 ? new Error('fetch failed') : undefined,
    );
    expect(reports).toHaveLength(3);
  });
});

/** What a worker of one place reports of one attempt that cannot begin, until it asks for another one. */
async function reportsUntilFree(
  refusal: (report: FinishReport) => Error | undefined,
): Promise<FinishReport[]> {
  const reports: FinishReport[] = [];
  let polls = 0;
  await new Promise<void>((resolve) => {
    void start(
      linkOf({
        poll: (ask, signal) => {
          if (polls++ === 0) return Promise.resolve({ ...NOTHING, claims: [CLAIM] });
          if (ask.free === 1) resolve();
          return untilAborted(signal);
        },
        finish: (_, [report]) => {
          if (report === undefined) return Promise.resolve([]);
          reports.push(report);
          const error = refusal(report);
          return error === undefined ? Promise.resolve([]) : Promise.reject(error);
        },
      }),
    );
  });
  return reports;
}

const CLAIM: Claim = {
  planDay: '2026-11-21',
  instanceId: 7,
  epoch: 1,
  publicId: 'inst_1',
  installation: 'test',
  runNumber: 1,
  attempt: 1,
  fence: '1',
  scheduledAt: '2026-11-21T00:00:00Z',
  nodeId: 1,
  nodeName: 'a',
  workflowId: 1,
  nodeType: 'virtual',
  config: {},
  configVersion: 1,
  bizdate: '2026-11-20',
  timezone: 'Asia/Shanghai',
  timeoutMs: 1000,
  parameters: {},
  dataSources: [],
  problem: { code: 'MR-S104', detail: 'It is gone.' },
};
