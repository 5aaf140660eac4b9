import { setTimeout as sleep } from 'node:timers/promises';

import { z } from 'zod';

import { isFinal, INSTANCE_STATUSES, type InstanceStatus } from '../domain/instance/status.js';
import type { ApiClient } from './api/api-client.js';
import { instanceSchema, stateText, type Instance } from './api/instance.js';
import { CliError } from './cli-error.js';
import { EXIT } from './exit-code.js';
import { syncProgressSchema } from './output/sync-fields.js';

const runInstanceSchema = instanceSchema.extend({ progress: syncProgressSchema.nullish() });

export const runSchema = z.looseObject({ id: z.string(), instances: z.array(runInstanceSchema) });
export type Run = z.infer<typeof runSchema>;

export interface WatchOptions {
  readonly timeoutSeconds: number | undefined;
  readonly signal: AbortSignal;
  /** Called for each instance at the start and whenever its state has changed, in the order of what happened. */
  readonly onChange: (instance: Instance) => void;
  /** Called for each look, before {@link onChange}. */
  readonly onLook?: (run: Run) => void;
}

/** A short run is seen to end at once; a long one is asked twice a second. */
const EAGER_MS = 10_000;
const EAGER_POLL_MS = 100;
const POLL_MS = 500;
/** A child may be released a moment after its last upstream ended: a red run must stand still this long. */
const SETTLED_MS = 2_000;

/** An api that is started again is away for a moment; the run goes on without it. */
const OUTAGE_MS = 30_000;

/** Resolves once nothing of the run can move by itself any more. */
export async function watchRun(api: ApiClient, runId: string, options: WatchOptions): Promise<Run> {
  const states = new Map<string, string>();
  const startedMs = performance.now();
  const limitMs = (options.timeoutSeconds ?? Infinity) * 1000;
  let settledSinceMs: number | undefined;
  for (;;) {
    const run = await readRun(api, runId, options.signal);
    options.onLook?.(run);
    for (const instance of run.instances.toSorted(byLastTurn)) {
      const state = stateText(instance);
      if (states.get(instance.id) === state) continue;
      states.set(instance.id, state);
      options.onChange(instance);
    }
    const nowMs = performance.now();
    settledSinceMs = isSettled(run) ? (settledSinceMs ?? nowMs) : undefined;
    const isSettledLong = settledSinceMs !== undefined && nowMs - settledSinceMs >= SETTLED_MS;
    if (isOver(run) || isSettledLong) return run;
    if (nowMs - startedMs > limitMs) {
      throw new CliError(`${runId} has not ended within ${options.timeoutSeconds} s; it goes on`, {
        exitCode: EXIT.timeout,
        fix: `Ask \`millrace why ID\` for one of its instances, or wait longer with --timeout.`,
      });
    }
    const pauseMs = nowMs - startedMs < EAGER_MS ? EAGER_POLL_MS : POLL_MS;
    await sleep(pauseMs, undefined, { signal: options.signal });
  }
}

/** A whole run may pass between two looks: they are told in the order of their times, what waits last. */
function byLastTurn(a: Instance, b: Instance): number {
  const [at, other] = [lastTurnMs(a), lastTurnMs(b)];
  return at === other ? 0 : at - other;
}

function lastTurnMs({ endedAt, startedAt }: Instance): number {
  const text = endedAt ?? startedAt;
  return text ? Date.parse(text) : Infinity;
}

async function readRun(api: ApiClient, runId: string, signal: AbortSignal): Promise<Run> {
  const giveUpMs = performance.now() + OUTAGE_MS;
  for (;;) {
    try {
      return await api.get(`/runs/${encodeURIComponent(runId)}`, runSchema);
    } catch (error) {
      const isAway = error instanceof CliError && error.exitCode === EXIT.timeout;
      if (!isAway || performance.now() > giveUpMs) throw error;
      await sleep(POLL_MS, undefined, { signal });
    }
  }
}

export function hasSucceeded(run: Run): boolean {
  return run.instances.every((instance) => instance.status === 'succeeded');
}

function isOver(run: Run): boolean {
  return run.instances.length > 0 && run.instances.every((i) => isFinal(statusOf(i)));
}

/** Something ended red and the rest waits for it. */
function isSettled(run: Run): boolean {
  const isRed = run.instances.some((i) => i.status === 'failed' || i.status === 'cancelled');
  return (
    isRed &&
    run.instances.every((i) => isFinal(statusOf(i)) || i.status === 'waiting_upstream' || i.frozen)
  );
}

function statusOf(instance: Instance): InstanceStatus {
  return INSTANCE_STATUSES.find((status) => status === instance.status) ?? 'running';
}
