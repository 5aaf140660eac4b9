import type { components } from '../../api/schema.gen.ts';

export type Instance = components['schemas']['Instance'];
export type InstanceDetail = components['schemas']['InstanceDetail'];
export type Attempt = components['schemas']['Attempt'];
export type Neighbour = components['schemas']['InstanceNeighbour'];
export type Why = components['schemas']['Why'];
export type Status = Instance['status'];

export const LIST_PATH = '/api/v1/workspaces/{ws}/instances';
export const FACETS_PATH = '/api/v1/workspaces/{ws}/instances/facets';

/** What of a page shows an instance: loaded again after an operation and on events. */
export const INSTANCE_PATHS = [
  '/api/v1/instances/{id}',
  '/api/v1/instances/{id}/why',
  '/api/v1/instances/{id}/attempts',
  '/api/v1/instances/{id}/dirty-records',
] as const;

/** What a run has counted; `rowsTotal` is there when the reader knew it. */
export interface Progress {
  readonly rowsRead?: number;
  readonly rowsWritten?: number;
  readonly rowsDirty?: number;
  readonly bytes?: number;
  readonly rowsTotal?: number;
  readonly sync?: SyncStatistics;
}

/** Of the last second while a sync runs, of the whole run once it has ended. */
export interface SyncStatistics {
  readonly lane: string | null;
  readonly slices: number;
  readonly slicesDone: number;
  readonly perSecond: {
    readonly rowsRead: number;
    readonly bytesRead: number;
    readonly rowsAcknowledged: number;
  };
  readonly bottleneck: 'source' | 'target' | 'rate limit' | null;
  readonly secondsLeft: number | null;
}

/** The counters of a running attempt, or those that the latest one ended with. */
export function progressOf(
  instance: InstanceDetail,
  latest: Attempt | undefined,
): Progress | undefined {
  return asProgress(instance.progress) ?? asProgress(fieldOf(latest?.result, 'progress'));
}

function asProgress(value: unknown): Progress | undefined {
  return typeof value === 'object' && value !== null ? value : undefined;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

/** The parameters as they were resolved, by name. */
export function parametersOf(instance: InstanceDetail): readonly (readonly [string, string])[] {
  const { parameters } = instance;
  if (typeof parameters !== 'object' || parameters === null) return [];
  return Object.entries(parameters as Record<string, unknown>).map(
    ([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)] as const,
  );
}
