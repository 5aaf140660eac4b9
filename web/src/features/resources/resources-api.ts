import { queryClient } from '../../api/client.ts';
import type { components } from '../../api/schema.gen.ts';

export type ResourceGroup = components['schemas']['ResourceGroup'];
export type Worker = components['schemas']['Worker'];
export type Gate = components['schemas']['Gate'];

export const GROUPS = '/api/v1/resource-groups';
export const WORKERS = '/api/v1/workers';
export const GATES = '/api/v1/workspaces/{ws}/gates';

/** What is used and what waits changes without an event. */
export const REFRESH_MS = 5_000;

/** Loads the lists of resource groups, workers and gates again. */
export async function refreshResources(): Promise<void> {
  const lists: readonly unknown[] = [GROUPS, WORKERS, GATES];
  await queryClient.invalidateQueries({ predicate: ({ queryKey }) => lists.includes(queryKey[1]) });
}
