import { encodeDayId } from '../../domain/ids.js';
import type { StoredEvent } from '../../store/repositories/event-repository.js';

/** An event as clients get it. */
export interface EventView {
  readonly seq: number;
  readonly type: string;
  readonly at: Date;
  readonly instance: string | null;
  readonly payload: unknown;
}

export function eventView(event: StoredEvent): EventView {
  const { seq, type, at, instancePlanDay: planDay, instanceId: id, payload } = event;
  const instance = planDay === null || id === null ? null : encodeDayId('inst', { planDay, id });
  return { seq, type, at, instance, payload };
}
