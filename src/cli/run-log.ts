import { setTimeout as sleep } from 'node:timers/promises';

import { z } from 'zod';

import { type InstanceStatus, isFinal } from '../domain/instance/status.js';
import type { ApiClient } from './api/api-client.js';
import { instanceSchema } from './api/instance.js';
import { serverSentEvents } from './api/server-sent-events.js';
import { CliError } from './cli-error.js';
import { EXIT } from './exit-code.js';

export interface LogOf {
  readonly instanceId: string;
  /** Absent: the last attempt. */
  readonly epoch: number | undefined;
}

/** The log as far as it is written. */
export async function readLog(
  api: ApiClient,
  log: LogOf,
  write: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const body = await api.stream(pathOf(log), { attempt: log.epoch }, 'text/plain', signal);
  const decoder = new TextDecoder();
  for await (const bytes of body) write(decoder.decode(bytes, { stream: true }));
}

const RECONNECT_MS = 500;
const MAX_RECONNECTS = 20;

/**
 * The log while it is written, until the server says that the attempt has ended. A lost connection is made
 * again from the next line, so that no line is missing and none comes twice.
 */
export async function followLog(
  api: ApiClient,
  log: LogOf,
  write: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let from = 0;
  for (let lost = 0; lost <= MAX_RECONNECTS; lost++) {
    if (lost > 0) await sleep(RECONNECT_MS, undefined, { signal });
    try {
      const query = { attempt: log.epoch, from, follow: 1 };
      const body = await api.stream(pathOf(log), query, 'text/event-stream', signal);
      for await (const message of serverSentEvents(body)) {
        if (message.event === 'end') return;
        const next = lineAfter(message.id);
        if (next !== undefined) from = next;
        lost = 0;
        write(`${message.data}\n`);
      }
    } catch (error) {
      // A refusal (no such instance, no right) does not become right by asking again.
      if (signal.aborted || (error instanceof CliError && error.exitCode !== EXIT.timeout))
        throw error;
    }
  }
  throw new CliError(`The log of ${log.instanceId} broke off`, {
    exitCode: EXIT.timeout,
    fix: 'Check that the server runs, and repeat the command.',
  });
}

const LOOK_MS = 500;
const attemptsSchema = z.looseObject({ items: z.array(z.looseObject({ epoch: z.int() })) });

/**
 * The log of the last attempt and of those that come after it, until the instance has ended: an attempt
 * whose worker died or that is tried again is not the end.
 */
export async function followInstance(
  api: ApiClient,
  instanceId: string,
  write: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const path = `/instances/${encodeURIComponent(instanceId)}`;
  for (let last: number | undefined; ;) {
    // Asked in this order: an attempt that began before the instance ended is then among the attempts.
    const { status } = await api.get(path, instanceSchema);
    const { items } = await api.get(`${path}/attempts`, attemptsSchema);
    const epochs = items.map((item) => item.epoch).filter((epoch) => epoch > (last ?? -1));
    const next = last === undefined ? Math.max(...epochs) : Math.min(...epochs);
    if (epochs.length > 0) {
      if (last !== undefined) write('--- that attempt has ended; this is the next one ---\n');
      last = next;
      await followLog(api, { instanceId, epoch: next }, write, signal);
    } else if (isFinal(status as InstanceStatus)) return;
    else await sleep(LOOK_MS, undefined, { signal });
  }
}

function pathOf(log: LogOf): string {
  return `/instances/${encodeURIComponent(log.instanceId)}/log`;
}

/** The event id is the number of the first line that has not been sent yet. */
function lineAfter(id: string | undefined): number | undefined {
  const parsed = z.coerce.number().int().nonnegative().safeParse(id);
  return id !== undefined && parsed.success ? parsed.data : undefined;
}
