import { z } from 'zod';

/** Name to expression. */
export const parametersSchema = z.record(z.string(), z.string());

export function parametersPath(workspace: string): string {
  return `/workspaces/${encodeURIComponent(workspace)}/parameters`;
}
