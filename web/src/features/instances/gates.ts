import type { Instance, Why } from './instances-api.ts';
import { isFinal } from '../../ui/visible-state.ts';

/** What an instance has to pass before it starts, in this order. */
const GATES = ['upstream', 'time', 'resource', 'frozen'] as const;
type GateName = (typeof GATES)[number];

/** `ahead`: it has not come to this one yet. */
export type GateState = 'passed' | 'closed' | 'ahead';

export interface Gate {
  readonly name: GateName;
  readonly state: GateState;
  readonly reasons: Why['reasons'];
}

type Seen = Pick<
  Instance,
  'status' | 'frozen' | 'upstreamDoneAt' | 'readyAt' | 'dispatchedAt' | 'startedAt'
>;

/** The four gates of an instance with what the server says about each. */
export function gatesOf(instance: Seen, why: Why): readonly Gate[] {
  return GATES.map((name) => {
    const reasons = why.reasons.filter(({ gate }) => gate === name);
    return { name, reasons, state: reasons.length > 0 ? 'closed' : stateOf(name, instance) };
  });
}

function stateOf(name: GateName, instance: Seen): GateState {
  const hasStarted = !/^(waiting_|gated$|retry_wait$)/.test(instance.status);
  // It can end without a start: stopped while it waited, or as a dry run.
  if (hasStarted && !(isFinal(instance.status) && instance.dispatchedAt === null)) return 'passed';
  switch (name) {
    case 'upstream':
      return instance.upstreamDoneAt === null ? 'ahead' : 'passed';
    case 'time':
      // Of what waits the server always says whether its time has come.
      return isFinal(instance.status) && instance.readyAt === null ? 'ahead' : 'passed';
    case 'resource':
      return 'ahead';
    case 'frozen':
      return instance.frozen ? 'closed' : 'passed';
  }
}
