import { queryClient } from '../../api/client.ts';
import type { components } from '../../api/schema.gen.ts';

export type DataSource = components['schemas']['DataSource'];

export const SOURCES = '/api/v1/workspaces/{ws}/data-sources';
export const SOURCE = '/api/v1/workspaces/{ws}/data-sources/{id}';

/** A failed test has to be confirmed before its data source is saved. */
export const UNCONFIRMED = 'MR-A110';

/** Loads every list and page of data sources again. */
export async function refreshSources(): Promise<void> {
  await queryClient.invalidateQueries({
    predicate: ({ queryKey }) => queryKey[1] === SOURCES || queryKey[1] === SOURCE,
  });
}
