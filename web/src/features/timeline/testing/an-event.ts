import type { LiveEvent } from '../../../api/realtime.ts';
import type { Instance, Status } from './an-answer.ts';

/** The event of `instance` (as it is before) entering `status`. */
export function aStatusEvent(
  instance: Instance,
  status: Status,
  on: { readonly seq: number; readonly at: number },
): LiveEvent {
  return {
    seq: on.seq,
    type: 'instance.status',
    at: new Date(on.at).toISOString(),
    instance: instance.id,
    payload: { ...payloadOf(instance), from: instance.status, status },
  };
}

export function aFrozenEvent(
  instance: Instance,
  frozen: boolean,
  on: { readonly seq: number; readonly at: number },
): LiveEvent {
  return {
    ...aStatusEvent(instance, instance.status, on),
    type: 'instance.frozen',
    payload: { ...payloadOf(instance), from: instance.status, status: instance.status, frozen },
  };
}

function payloadOf(instance: Instance): Record<string, unknown> {
  const { upstreamDone, ready, dispatched, started, ended } = instance;
  const times = {
    upstreamDoneAt: upstreamDone,
    readyAt: ready,
    dispatchedAt: dispatched,
    startedAt: started,
    endedAt: ended,
  };
  return {
    workflow: `wf_${(instance.node % 2) + 1}`,
    node: `node_${instance.node}`,
    nodeType: 'sql',
    resourceGroup: 'default',
    runGroupKind: 'scheduled',
    runGroup: 'bf_1',
    bizdate: '2026-01-09',
    attempt: 1,
    frozen: instance.frozen === true,
    dryRun: instance.dryRun === true,
    runAt: new Date(instance.run).toISOString(),
    ...Object.fromEntries(
      Object.entries(times)
        .filter(([, at]) => at !== undefined)
        .map(([name, at]) => [name, new Date(at!).toISOString()]),
    ),
  };
}
