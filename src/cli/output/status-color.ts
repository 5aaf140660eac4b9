import type { InstanceStatus } from '../../domain/instance/status.js';

/** ANSI colours after DataWorks: grey, yellow, blue, green, red. */
const COLORS: Readonly<Record<InstanceStatus, string>> = {
  waiting_upstream: '90',
  waiting_time: '33',
  waiting_resource: '33',
  gated: '33',
  dispatched: '34',
  running: '34',
  checking: '34',
  checking_condition: '34',
  retry_wait: '33',
  succeeded: '32',
  failed: '31',
  cancelled: '31',
};

export function statusColor(status: string): string | undefined {
  return Object.entries(COLORS).find(([known]) => known === status)?.[1];
}
