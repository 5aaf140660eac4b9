import { queryClient } from '../../api/client.ts';
import type { components } from '../../api/schema.gen.ts';

export type Alert = components['schemas']['Alert'];
export type AlertRule = components['schemas']['AlertRule'];

export const ALERTS = '/api/v1/workspaces/{ws}/alerts';
export const RULES = '/api/v1/workspaces/{ws}/alert-rules';
export const RULE = '/api/v1/workspaces/{ws}/alert-rules/{id}';

/** Loads the lists of alerts and rules again. */
export async function refreshAlerts(): Promise<void> {
  await queryClient.invalidateQueries({
    predicate: ({ queryKey }) => queryKey[1] === ALERTS || queryKey[1] === RULES,
  });
}
