import type { components } from '../../api/schema.gen.ts';

type TestReport = components['schemas']['TestReport'];

const STEP_STATUSES = ['ok', 'warning', 'failed', 'skipped'] as const;

/** One step of a connectivity test; `code` leads to what to do. */
export interface TestStep {
  readonly step: string;
  readonly status: (typeof STEP_STATUSES)[number];
  readonly detail: string;
  readonly code: string | undefined;
  readonly elapsedMs: number;
}

/** The steps of a report as far as they can be read: plugins write them. */
export function stepsOf(report: TestReport | null): readonly TestStep[] {
  return (report?.steps ?? []).flatMap((raw): TestStep[] => {
    const status = STEP_STATUSES.find((each) => each === raw['status']);
    if (typeof raw['step'] !== 'string' || status === undefined) return [];
    return [
      {
        step: raw['step'],
        status,
        detail: typeof raw['detail'] === 'string' ? raw['detail'] : '',
        code: typeof raw['code'] === 'string' ? raw['code'] : undefined,
        elapsedMs: typeof raw['elapsedMs'] === 'number' ? raw['elapsedMs'] : 0,
      },
    ];
  });
}

/** Steps that a test of this kind would have gone on with: a failed one ends it. */
export const NETWORK_STEPS = ['dns', 'tcp', 'tls', 'login', 'version', 'privileges'] as const;

/** The steps that a failed test never came to. */
export function stepsLeft(steps: readonly TestStep[]): readonly string[] {
  const last = steps.at(-1);
  if (last?.status !== 'failed') return [];
  const at = NETWORK_STEPS.findIndex((step) => step === last.step);
  return at < 0 ? [] : NETWORK_STEPS.slice(at + 1);
}
