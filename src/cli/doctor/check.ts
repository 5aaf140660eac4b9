export interface CheckResult {
  readonly status: 'ok' | 'warning' | 'failed';
  /** What was found, with names and numbers; never a credential. */
  readonly detail: string;
  /** What to do; only when the status is not ok. */
  readonly fix?: string;
}

export interface Check {
  readonly name: string;
  run(): Promise<CheckResult>;
}

export function ok(detail: string): CheckResult {
  return { status: 'ok', detail };
}

export function warning(detail: string, fix: string): CheckResult {
  return { status: 'warning', detail, fix };
}

export function failed(detail: string, fix: string): CheckResult {
  return { status: 'failed', detail, fix };
}
