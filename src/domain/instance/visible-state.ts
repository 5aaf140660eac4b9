import { INSTANCE_STATUSES } from './status.js';

/**
 * What a person sees of an instance: its status, and three states that the status alone does not tell.
 * `gated` is none of them: what waits before a gate has the status `waiting_resource` (ADR 16).
 * The first that applies wins: frozen (not final), dry_run (succeeded without running), upstream_failed
 * (waits for an upstream that failed or was cancelled), the status.
 */
export const VISIBLE_STATES = [
  ...INSTANCE_STATUSES.filter((status) => status !== 'gated'),
  'upstream_failed',
  'frozen',
  'dry_run',
] as const;
export type VisibleState = (typeof VISIBLE_STATES)[number];
