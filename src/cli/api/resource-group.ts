import { z } from 'zod';

import { CliError } from '../cli-error.js';
import { EXIT } from '../exit-code.js';
import type { ApiClient } from './api-client.js';

export const GROUPS_PATH = '/resource-groups';
export const WORKERS_PATH = '/workers';

export const workerSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  resourceGroup: z.string(),
  state: z.string(),
  draining: z.boolean(),
  startedAt: z.string(),
  capacity: z.number(),
  running: z.number(),
  labels: z.array(z.string()),
  addresses: z.array(z.string()),
});
export type Worker = z.infer<typeof workerSchema>;

export const groupSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  slots: z.number(),
  slotsUsed: z.number(),
  backfillShare: z.number(),
  draining: z.boolean(),
  quotas: z.record(z.string(), z.number()),
  schedulingSlots: z.number().nullable(),
  schedulingSlotsUsed: z.number(),
  schedulingWaiting: z.number(),
  waiting: z.number(),
  oldestWaitSeconds: z.number().nullable(),
  addresses: z.array(z.string()),
  workers: z.array(workerSchema),
});
export type Group = z.infer<typeof groupSchema>;

export async function listGroups(api: ApiClient): Promise<readonly Group[]> {
  return (await api.get(GROUPS_PATH, z.looseObject({ items: z.array(groupSchema) }))).items;
}

export async function listWorkers(api: ApiClient): Promise<readonly Worker[]> {
  return (await api.get(WORKERS_PATH, z.looseObject({ items: z.array(workerSchema) }))).items;
}

/** The group of that name or id (`rg_3`). */
export async function findGroup(api: ApiClient, nameOrId: string): Promise<Group> {
  const groups = await listGroups(api);
  const found =
    groups.find(({ name }) => name === nameOrId) ?? groups.find(({ id }) => id === nameOrId);
  if (found !== undefined) return found;
  throw new CliError(`There is no resource group "${nameOrId}"`, {
    exitCode: EXIT.conflict,
    fix: 'See `millrace groups ls`.',
  });
}

/** The worker of that id (`wk_3`), or the only one of that name; lost ones do not count beside live ones. */
export async function findWorker(api: ApiClient, nameOrId: string): Promise<Worker> {
  const workers = await listWorkers(api);
  const byId = workers.find(({ id }) => id === nameOrId);
  if (byId !== undefined) return byId;
  const named = workers.filter(({ name }) => name === nameOrId);
  const live = named.filter(({ state }) => state !== 'lost');
  const [found, ...others] = live.length > 0 ? live : named;
  if (found !== undefined && others.length === 0) return found;
  throw new CliError(
    found === undefined
      ? `There is no worker "${nameOrId}"`
      : `${others.length + 1} workers are called "${nameOrId}"`,
    {
      exitCode: EXIT.conflict,
      fix:
        found === undefined
          ? 'See `millrace workers ls`.'
          : `Give the id of one: ${[found, ...others].map(({ id }) => id).join(', ')}.`,
    },
  );
}
