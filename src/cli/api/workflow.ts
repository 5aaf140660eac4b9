import { z } from 'zod';

import { CliError } from '../cli-error.js';
import { EXIT } from '../exit-code.js';
import type { ApiClient } from './api-client.js';

export const workflowSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  description: z.string().nullish(),
  latestVersion: z.number().nullish(),
  scheduled: z.boolean().nullish(),
});
export type Workflow = z.infer<typeof workflowSchema>;

export function workflowsPath(workspace: string): string {
  return `/workspaces/${encodeURIComponent(workspace)}/workflows`;
}

const MANY = 10_000;

/** The workflow of that id (`wf_12`) or name, or `undefined`. */
export async function lookUpWorkflow(
  api: ApiClient,
  workspace: string,
  nameOrId: string,
): Promise<Workflow | undefined> {
  const { items } = await api.list(workflowsPath(workspace), workflowSchema, MANY);
  return items.find((w) => w.name === nameOrId) ?? items.find((w) => w.id === nameOrId);
}

export async function findWorkflow(
  api: ApiClient,
  workspace: string,
  nameOrId: string,
): Promise<Workflow> {
  const workflow = await lookUpWorkflow(api, workspace, nameOrId);
  if (workflow !== undefined) return workflow;
  throw new CliError(`No workflow "${nameOrId}" in the workspace ${workspace}`, {
    exitCode: EXIT.conflict,
    fix: 'See `millrace workflows ls`.',
  });
}
