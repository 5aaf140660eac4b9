export const ALERT_CONDITIONS = [
  'failed',
  'unfinished',
  'plan_missing',
  'plan_jump',
  'backfill_paused',
  'no_worker',
] as const;
export type AlertConditionKind = (typeof ALERT_CONDITIONS)[number];

export const RUN_KINDS = ['scheduled', 'test', 'backfill', 'manual'] as const;
export type RunKind = (typeof RUN_KINDS)[number];

/** What a rule waits for. */
export type AlertCondition =
  /** An instance failed and is not tried again by itself. */
  | { readonly kind: 'failed'; readonly runs: readonly RunKind[] }
  /** Not all is finished at `by`, `00:00` to `47:59` of the day after the business date, in the workflow's zone. */
  | { readonly kind: 'unfinished'; readonly by: string }
  /** The plan of a day was not made by its seal. */
  | { readonly kind: 'plan_missing' }
  /** A plan has far more or fewer instances than the plans before it. */
  | { readonly kind: 'plan_jump' }
  /** A backfill cannot be made any further and has paused itself. */
  | { readonly kind: 'backfill_paused' }
  /** No worker of the resource group was alive for so long. */
  | { readonly kind: 'no_worker'; readonly minutes: number };

/** What a rule looks at; names as the user knows them. */
export type AlertTarget =
  | { readonly kind: 'all' }
  | { readonly kind: 'workflows'; readonly workflows: readonly string[] }
  | {
      readonly kind: 'nodes';
      readonly nodes: readonly { readonly workflow: string; readonly node: string }[];
    }
  | { readonly kind: 'resource_group'; readonly resourceGroup: string };

const TARGETS: Readonly<Record<AlertConditionKind, readonly AlertTarget['kind'][]>> = {
  failed: ['all', 'workflows', 'nodes', 'resource_group'],
  unfinished: ['all', 'workflows', 'nodes', 'resource_group'],
  plan_missing: ['all'],
  plan_jump: ['all'],
  backfill_paused: ['all', 'workflows'],
  no_worker: ['resource_group'],
};

/** The kinds of target a condition can be asked of. */
export function targetsOf(condition: AlertConditionKind): readonly AlertTarget['kind'][] {
  return TARGETS[condition];
}

/** `06:30` as minutes from midnight; hours up to 47. `undefined` for anything else. */
export function minuteOfDay(text: string): number | undefined {
  const [, hours, minutes] = /^([0-3]\d|4[0-7]):([0-5]\d)$/.exec(text) ?? [];
  return hours === undefined ? undefined : Number(hours) * 60 + Number(minutes);
}

/** The inverse of {@link minuteOfDay}. */
export function timeOfMinute(minute: number): string {
  const pad = (value: number): string => String(value).padStart(2, '0');
  return `${pad(Math.floor(minute / 60))}:${pad(minute % 60)}`;
}
