import type { components } from '../../api/schema.gen.ts';
import { isFinal } from '../../ui/visible-state.ts';
import type { Status } from './instances-api.ts';

export type Operation = components['schemas']['BatchRequest']['action'];
export const OPERATIONS = ['rerun', 'stop', 'set-success', 'freeze', 'unfreeze'] as const;

/** What of an instance decides which operations are offered. */
export interface Operand {
  readonly id: string;
  readonly status: Status;
  readonly frozen: boolean;
}

/** Whether a button is offered for one instance. The server decides; this only hides what cannot be. */
export function isOffered(operation: Operation, { status, frozen }: Operand): boolean {
  const isWaiting = /^(waiting_|gated$|retry_wait$)/.test(status);
  switch (operation) {
    case 'rerun':
      return isFinal(status);
    case 'stop':
      return !isFinal(status);
    case 'set-success':
      return status === 'failed' || status === 'cancelled';
    case 'freeze':
      return isWaiting && !frozen;
    case 'unfreeze':
      return isWaiting && frozen;
  }
}
