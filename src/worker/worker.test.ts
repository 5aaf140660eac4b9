import { afterEach, describe, expect, test } from '@jest/globals';

import { PluginHost } from '../plugin-host/plugin-host.js';
import type { PollAnswer, PollAsk, WorkerLink } from '../worker-link/worker-link.js';
import { AttemptHost } from './attempt/attempt-host.js';
import { Worker } from './worker.js';

const NOTHING: PollAnswer = { claims: [], requests: [], stops: [] };

/** A link that has nothing to do, but for what a test replaces. */
function linkOf(parts: Partial<WorkerLink>): WorkerLink {
  return {
    register: () => Promise.resolve({ workerId: 1, installation: 'test' }),
    poll: (_, signal) => untilAborted(signal),
    renew: () => Promise.resolve({ lost: [], leaseMs: 1000 }),
    started: () => Promise.resolve(),
    finish: () => Promise.resolve([]),
    log: () => Promise.resolve(),
    quarantine: () => Promise.resolve(),
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
});
