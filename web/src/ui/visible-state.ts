/** The states as people see them: the engine's statuses, with frozen, dry run and failed upstreams told apart. */
export const VISIBLE_STATES = [
  'upstream',
  'time',
  'resource',
  'running',
  'retry',
  'succeeded',
  'failed',
  'upstreamFailed',
  'frozen',
  'dryRun',
  'cancelled',
] as const;
export type VisibleState = (typeof VISIBLE_STATES)[number];

export const STATE_GLYPHS: Readonly<Record<VisibleState, string>> = {
  upstream: '○',
  time: '◷',
  resource: '⧗',
  running: '▶',
  retry: '↻',
  succeeded: '✓',
  failed: '✕',
  upstreamFailed: '⇡✕',
  frozen: '❄',
  dryRun: '⇥',
  cancelled: '■',
};

/** `resource` as a path of 8 x 10: the sign itself is missing in many fonts. */
export const HOURGLASS = 'M0 0H8L4.6 5 8 10H0L3.4 5Z';

const OF_STATUS: Readonly<Record<string, VisibleState>> = {
  waiting_upstream: 'upstream',
  waiting_time: 'time',
  waiting_resource: 'resource',
  gated: 'resource',
  dispatched: 'running',
  running: 'running',
  checking: 'running',
  checking_condition: 'running',
  retry_wait: 'retry',
  succeeded: 'succeeded',
  failed: 'failed',
  cancelled: 'cancelled',
};

/** `upstreamFailed`: it waits for an upstream that will not come by itself. */
export function visibleStateOf(instance: {
  readonly status: string;
  readonly frozen?: boolean;
  readonly dryRun?: boolean;
  readonly upstreamFailed?: boolean;
}): VisibleState {
  const { status } = instance;
  const hasStarted = !/^(waiting_|gated$)/.test(status);
  if (instance.frozen === true && !hasStarted) return 'frozen';
  if (instance.dryRun === true && status === 'succeeded') return 'dryRun';
  if (instance.upstreamFailed === true && status === 'waiting_upstream') return 'upstreamFailed';
  return OF_STATUS[status] ?? 'upstream';
}

/** Whether the instance will change no more by itself. */
export function isFinal(status: string): boolean {
  return status === 'succeeded' || status === 'failed' || status === 'cancelled';
}
