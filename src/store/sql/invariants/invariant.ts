import type { InstanceStatus } from '../../../domain/instance/status.js';

/** Something that holds in the store at every moment: after each commit, whatever was stopped or lost. */
export interface Invariant {
  /** `I1` to `I8`, as in docs/invariants.md. */
  readonly id: string;
  readonly name: string;
  /** What holds, in one sentence. */
  readonly says: string;
  /**
   * One statement, so one snapshot: a line that goes on meanwhile is not seen half done. Its rows are what
   * breaks the rule: `kind` (of the API id; null where the detail names it), `plan_day`, `id`, `detail`.
   */
  readonly violations: string;
}

/** Statuses as the list of an SQL `IN`. */
export function statusList(statuses: readonly InstanceStatus[]): string {
  return statuses.map((status) => `'${status}'`).join(', ');
}
