import { z } from 'zod';

import type { ApiClient } from './api-client.js';

export const gateSchema = z.looseObject({
  id: z.string(),
  scope: z.string(),
  workflow: z.string().nullable(),
  node: z.string().nullable(),
  dataSource: z.string().nullable(),
  capacity: z.number(),
  running: z.number(),
  waiting: z.number(),
  holders: z.array(z.string()),
});
export type Gate = z.infer<typeof gateSchema>;

export function gatesPath(workspace: string): string {
  return `/workspaces/${encodeURIComponent(workspace)}/gates`;
}

export async function listGates(api: ApiClient, workspace: string): Promise<readonly Gate[]> {
  const schema = z.looseObject({ items: z.array(gateSchema) });
  return (await api.get(gatesPath(workspace), schema)).items;
}

/** What a gate is for, in one line: `workflow orders`, `node orders/load`, `data source shop_db`. */
export function targetOf({ workflow, node, dataSource }: Partial<Gate>): string {
  if (node != null) return `node ${workflow ?? ''}/${node}`;
  return workflow != null ? `workflow ${workflow}` : `data source ${dataSource ?? ''}`;
}
