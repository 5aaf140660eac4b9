import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { alertRulesPath } from './api/alert.js';
import { ApiClient } from './api/api-client.js';
import { calendarsPath } from './api/calendar.js';
import { dataSourcesPath } from './api/data-source.js';
import { findServer } from './api/find-server.js';
import { workflowsPath } from './api/workflow.js';
import type { Completes } from './command.js';
import { LOCAL_CONTEXT, readContexts } from './contexts.js';
import type { Flags } from './flags.js';
import type { CliIo } from './io.js';
import { writePrivately } from './private-file.js';
import { readSettings } from './settings.js';

const CACHED_MS = 10_000;
/** A shell that waits longer than this for a list of names feels broken. */
const PATIENCE_MS = 1_500;
const OFFERED_INSTANCES = 50;

const namesSchema = z.array(z.string());
const itemsSchema = z.looseObject({
  items: z.array(z.looseObject({ id: z.string(), name: z.string().optional() })),
});

/** Names or ids of things on the server, as it was at most some seconds ago. */
export async function completionNames(
  kind: Exclude<Completes, 'command'>,
  flags: Flags,
  io: CliIo,
): Promise<readonly string[]> {
  if (kind === 'context')
    return [LOCAL_CONTEXT, ...Object.keys((await readContexts(io.home)).contexts)];
  const settings = await readSettings(flags, io);
  const address = await findServer(settings);
  const workspace = settings.workspace ?? '';
  const key = createHash('sha256')
    .update([address.server, address.token, workspace, kind].join('\0'))
    .digest('hex')
    .slice(0, 16);
  const path = join(io.home, '.millrace', 'cache', `${key}.json`);
  const cached = await readCached(path);
  if (cached !== undefined) return cached;
  const names = await askNames(new ApiClient(address), kind, settings.workspace);
  await writePrivately(path, JSON.stringify(names));
  return names;
}

async function readCached(path: string): Promise<readonly string[] | undefined> {
  try {
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > CACHED_MS) return undefined;
    return namesSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined;
  }
}

async function askNames(
  api: ApiClient,
  kind: Exclude<Completes, 'command' | 'context'>,
  chosen: string | undefined,
): Promise<string[]> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const ask = async (path: string): Promise<z.infer<typeof itemsSchema>['items']> =>
    (await api.send('GET', path, itemsSchema, { signal })).value.items;
  const workspace = chosen ?? (await ask('/workspaces'))[0]?.name ?? '';
  if (kind === 'instance') {
    const path = `/workspaces/${encodeURIComponent(workspace)}/instances`;
    return (await ask(`${path}?limit=${OFFERED_INSTANCES}`)).map(({ id }) => id);
  }
  const pathOf = {
    workflow: workflowsPath,
    dataSource: dataSourcesPath,
    alertRule: alertRulesPath,
    calendar: calendarsPath,
  };
  const path = pathOf[kind](workspace);
  return (await ask(`${path}?limit=200`)).flatMap(({ name }) => (name === undefined ? [] : [name]));
}
