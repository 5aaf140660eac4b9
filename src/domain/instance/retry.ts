import { ERRORS, type RegisteredCode } from '../errors.js';

export interface RetryPolicy {
  /** Automatic retries after the first execution, 0 to 10. */
  readonly max: number;
  readonly intervalMs: number;
}

/** Engine rule 19: an instance whose worker died this often is not given to a fourth. */
export const MAX_LOST_LEASES = 3;

/**
 * Does a failed execution come again by itself? A timeout never does, nor an error whose registry entry
 * says `never` (a wrong password does not become right by trying it again).
 */
export function isRetried(
  code: RegisteredCode | undefined,
  attempt: number,
  policy: RetryPolicy,
): boolean {
  if (attempt > policy.max) return false;
  return code === undefined || ERRORS[code].retry === 'backoff';
}
