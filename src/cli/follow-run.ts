import { isFinal, type InstanceStatus } from '../domain/instance/status.js';
import type { ApiClient } from './api/api-client.js';
import { stateLine, type Instance } from './api/instance.js';
import type { CliIo } from './io.js';
import { syncLine } from './output/sync-fields.js';
import { followInstance } from './run-log.js';
import { watchRun, type Run, type WatchOptions } from './run-watch.js';

const TELL_EVERY_MS = 5000;

/**
 * Watches a run to its end and prints its logs meanwhile. Lines come in the order of what happened: that a
 * node has ended is said after the last line of its log, and what it released begins after that. What a sync
 * does is told every five seconds.
 */
export async function followRun(
  api: ApiClient,
  runId: string,
  io: CliIo,
  options: Omit<WatchOptions, 'onChange'>,
): Promise<Run> {
  const logs = new Map<string, Promise<void>>();
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const startLog = (instance: Instance): Promise<void> => {
    const print = (text: string): void => io.stdout(`${instance.node.name} | ${text}`);
    // The states decide how the run ended; a log that breaks off must not change that.
    return followInstance(api, instance.id, print, signal).catch((error: unknown) => {
      if (!signal.aborted) io.stderr(`${instance.node.name}: ${String(error)}\n`);
    });
  };
  const say = async (instance: Instance): Promise<void> => {
    if (!logs.has(instance.id) && hasStarted(instance)) logs.set(instance.id, startLog(instance));
    if (isFinal(instance.status as InstanceStatus)) await logs.get(instance.id);
    io.stderr(stateLine(instance));
  };
  const toldMs = new Map<string, number>();
  const tell = ({ instances }: Run): void => {
    for (const { id, node, status, progress } of instances) {
      const nowMs = performance.now();
      const isDue = nowMs - (toldMs.get(id) ?? -Infinity) >= TELL_EVERY_MS;
      const line = status === 'running' && isDue ? syncLine(progress ?? {}) : undefined;
      if (line === undefined) continue;
      toldMs.set(id, nowMs);
      io.stderr(`${node.name}: ${line}\n`);
    }
  };
  let said = Promise.resolve();
  try {
    const run = await watchRun(api, runId, {
      ...options,
      onLook: tell,
      onChange: (instance) => void (said = said.then(() => say(instance))),
    });
    await said;
    return run;
  } finally {
    stop.abort();
  }
}

function hasStarted(instance: Instance): boolean {
  return !instance.status.startsWith('waiting') && instance.status !== 'gated' && !instance.dryRun;
}
