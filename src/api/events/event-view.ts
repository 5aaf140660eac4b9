import { encodeDayId, encodeId, type PlainIdKind } from '../../domain/ids.js';
import type { StoredEvent } from '../../store/repositories/event-repository.js';

/** An event as clients get it. */
export interface EventView {
  readonly seq: number;
  readonly type: string;
  readonly at: Date;
  readonly instance: string | null;
  readonly payload: unknown;
}

/** What stands for a row number of a stored payload. */
const ID_FIELDS: Readonly<Record<string, readonly [name: string, kind: PlainIdKind]>> = {
  workflowId: ['workflow', 'wf'],
  nodeId: ['node', 'node'],
  runGroupId: ['runGroup', 'bf'],
};

export function eventView(event: StoredEvent): EventView {
  const { seq, type, at, instancePlanDay: planDay, instanceId: id } = event;
  const instance = planDay === null || id === null ? null : encodeDayId('inst', { planDay, id });
  return { seq, type, at, instance, payload: payloadView(event) };
}

function payloadView({ payload, instancePlanDay: planDay }: StoredEvent): unknown {
  if (typeof payload !== 'object' || payload === null) return payload;
  const view: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(payload)) {
    const field = ID_FIELDS[key];
    if (field !== undefined && typeof value === 'number')
      view[field[0]] = encodeId(field[1], value);
    else if (key === 'runId' && typeof value === 'number' && planDay !== null)
      view['run'] = encodeDayId('run', { planDay, id: value });
    else view[key] = value;
  }
  return view;
}
