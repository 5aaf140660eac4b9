import { z } from 'zod';

import { CliError } from '../cli-error.js';
import { EXIT } from '../exit-code.js';
import type { ApiClient } from './api-client.js';

export const WORKER_TOKENS_PATH = '/worker-tokens';

export const workerTokenSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  resourceGroup: z.string(),
  createdAt: z.string(),
  revokedAt: z.string().nullable(),
});
export type WorkerToken = z.infer<typeof workerTokenSchema>;

export const madeTokenSchema = workerTokenSchema.extend({ token: z.string() });

const MANY = 10_000;

export async function listWorkerTokens(api: ApiClient): Promise<readonly WorkerToken[]> {
  return (await api.list(WORKER_TOKENS_PATH, workerTokenSchema, MANY)).items;
}

/** The valid token of that id (`tok_3`), or the only one of that name. */
export async function findWorkerToken(api: ApiClient, nameOrId: string): Promise<WorkerToken> {
  const valid = (await listWorkerTokens(api)).filter(({ revokedAt }) => revokedAt === null);
  const byId = valid.find(({ id }) => id === nameOrId);
  const [found, ...others] = byId ? [byId] : valid.filter(({ name }) => name === nameOrId);
  if (found === undefined)
    throw new CliError(`There is no valid worker token "${nameOrId}"`, {
      exitCode: EXIT.conflict,
      fix: 'See `millrace worker-tokens ls`.',
    });
  if (others.length === 0) return found;
  const ids = [found, ...others].map(({ id }) => id).join(', ');
  throw new CliError(`${others.length + 1} valid worker tokens are called "${nameOrId}"`, {
    exitCode: EXIT.conflict,
    fix: `Give the id of one: ${ids}.`,
  });
}
