import { queryClient } from '../../api/client.ts';
import type { components } from '../../api/schema.gen.ts';

export type Backfill = components['schemas']['Backfill'];
export type BackfillDetail = components['schemas']['BackfillDetail'];

export const BACKFILLS = '/api/v1/workspaces/{ws}/backfills';
export const BACKFILLS_PLAN = '/api/v1/workspaces/{ws}/backfills/plan';
export const BACKFILL = '/api/v1/workspaces/{ws}/backfills/{id}';

/** Loads again what shows backfills. */
export async function refreshBackfills(): Promise<void> {
  const shown: readonly unknown[] = [BACKFILLS, BACKFILL];
  await queryClient.invalidateQueries({
    predicate: ({ queryKey }) => shown.includes(queryKey[1]),
  });
}
