import { ERRORS, type RegisteredCode } from '../error-registry.js';
import type { RerunMode } from './operation.js';

export interface RetryPolicy {
  /** Automatic retries after the first execution, 0 to 10. */
  readonly max: number;
  /** Before the first retry. */
  readonly intervalMs: number;
  /** Each further retry waits so many times as long, 1 to 10; 1: always the same. */
  readonly factor: number;
  /** No retry waits longer. */
  readonly capMs: number;
}

/** Engine rule 19: an instance whose worker died this often is not given to a fourth. */
export const MAX_LOST_LEASES = 3;

/**
 * Does a failed execution come again by itself? A timeout never does, nor an error whose registry entry
 * says `never` (a wrong password does not become right by trying it again), nor a node that may not be
 * run again.
 */
export function isRetried(
  code: RegisteredCode | undefined,
  attempt: number,
  policy: Pick<RetryPolicy, 'max'> & { readonly rerunMode: RerunMode },
): boolean {
  if (attempt > policy.max || policy.rerunMode === 'never') return false;
  return code === undefined || ERRORS[code].retry === 'backoff';
}

/** How long the retry after the `attempt`th execution waits, in ms; `attempt` counts from 1. */
export function retryDelayMs(attempt: number, policy: Omit<RetryPolicy, 'max'>): number {
  const { intervalMs, factor, capMs } = policy;
  return Math.round(Math.min(intervalMs * factor ** (attempt - 1), capMs));
}
