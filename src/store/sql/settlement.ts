import type { EdgeOutcome } from '../../domain/instance/status.js';
import { type InstanceKey, type InstanceRow, keyOf } from './instance-row.js';

/** An instance whose edges to its children have to say something else now. The caller holds its lock. */
export interface Settlement extends InstanceKey {
  /** The plan days of all its children lie from the first to the last. */
  readonly firstChildDay: string;
  readonly lastChildDay: string;
  readonly outcome: EdgeOutcome;
}

export function settlementOf(
  row: Pick<InstanceRow, 'plan_day' | 'id' | 'first_child_day' | 'last_child_day'>,
  outcome: EdgeOutcome,
): Settlement {
  return {
    ...keyOf(row),
    firstChildDay: row.first_child_day,
    lastChildDay: row.last_child_day,
    outcome,
  };
}
