import { z } from 'zod';

import { CliError } from '../cli-error.js';
import { EXIT } from '../exit-code.js';
import type { ApiClient } from './api-client.js';

const connectivityStepSchema = z.looseObject({
  step: z.string(),
  status: z.string(),
  detail: z.string().default(''),
  code: z.string().nullish(),
  elapsedMs: z.number().default(0),
});

export const testOutcomeSchema = z.looseObject({
  status: z.string(),
  report: z.looseObject({
    steps: z.array(connectivityStepSchema),
    /** Why there are no more steps, where the test itself broke off. */
    error: z.looseObject({ code: z.string(), detail: z.string() }).nullish(),
  }),
  resourceGroup: z.string(),
  workerAddresses: z.array(z.string()).default([]),
});
export type TestOutcome = z.infer<typeof testOutcomeSchema>;

export const dataSourceSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  type: z.string(),
  environment: z.string().nullish(),
  description: z.string().nullish(),
  testStatus: z.string().nullish(),
  testedAt: z.string().nullish(),
});
export type DataSource = z.infer<typeof dataSourceSchema>;

export function dataSourcesPath(workspace: string): string {
  return `/workspaces/${encodeURIComponent(workspace)}/data-sources`;
}

const MANY = 10_000;

/** The data source of that name or id (`ds_3`). */
export async function findDataSource(
  api: ApiClient,
  workspace: string,
  nameOrId: string,
): Promise<DataSource> {
  const { items } = await api.list(dataSourcesPath(workspace), dataSourceSchema, MANY);
  const found = items.find((d) => d.name === nameOrId) ?? items.find((d) => d.id === nameOrId);
  if (found !== undefined) return found;
  throw new CliError(`No data source "${nameOrId}" in the workspace ${workspace}`, {
    exitCode: EXIT.conflict,
    fix: 'See `millrace datasources ls`.',
  });
}
