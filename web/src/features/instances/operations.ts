import type { components } from '../../api/schema.gen.ts';
import { isFinal } from '../../ui/visible-state.ts';
import type { Status } from './instances-api.ts';

export type Operation = components['schemas']['BatchRequest']['action'];
export const OPERATIONS = ['rerun', 'stop', 'set-success', 'freeze', 'unfreeze'] as const;
/** Those that are asked for less often; `unlink` is asked for at the upstream it is about. */
export const FURTHER_OPERATIONS = [
  'rerun-from-here',
  'rerun-downstream',
  'force-rerun',
  'change',
] as const;
export type OfferedOperation = (typeof OPERATIONS)[number] | (typeof FURTHER_OPERATIONS)[number];

/** Those that may take code and configuration of the planned version instead of the latest. */
const RERUNS: readonly Operation[] = ['rerun', 'rerun-from-here', 'rerun-downstream'];
export const RERUN_CODES = ['latest', 'planned'] as const satisfies Code[];
export type RerunCode = (typeof RERUN_CODES)[number];
type Code = NonNullable<components['schemas']['BatchRequest']['code']>;

/** An operation with the instances it is for. */
export interface Asked {
  readonly operation: Operation;
  readonly ids: readonly string[];
  /** Of `unlink`: what they are not to wait for. */
  readonly upstream?: readonly string[] | undefined;
}

/** What a change sets; what is absent stays. */
export interface Change {
  readonly priority?: number;
  readonly resourceGroup?: string;
}

export function takesCode(operation: Operation): boolean {
  return RERUNS.includes(operation);
}

/** What of an instance decides which operations are offered. */
export interface Operand {
  readonly id: string;
  readonly status: Status;
  readonly frozen: boolean;
}

/** Whether a button is offered for one instance. The server decides; this only hides what cannot be. */
export function isOffered(operation: OfferedOperation, { status, frozen }: Operand): boolean {
  const isWaiting = /^(waiting_|gated$|retry_wait$)/.test(status);
  switch (operation) {
    case 'rerun':
    case 'rerun-from-here':
    case 'rerun-downstream':
      return isFinal(status);
    case 'force-rerun':
      return isFinal(status) || (status === 'waiting_upstream' && !frozen);
    case 'stop':
      return !isFinal(status);
    case 'set-success':
      return status === 'failed' || status === 'cancelled';
    case 'freeze':
      return isWaiting && !frozen;
    case 'unfreeze':
      return isWaiting && frozen;
    case 'change':
      return isWaiting;
  }
}
