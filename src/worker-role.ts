import { join, resolve } from 'node:path';

import type { Config } from './config/load-config.js';
import { MillraceError } from './domain/errors.js';
import type { PluginHost } from './plugin-host/plugin-host.js';
import type { RoleContext, Running } from './running.js';
import { AttemptHost } from './worker/attempt/attempt-host.js';
import { Worker } from './worker/worker.js';
import { HttpWorkerLink } from './worker-link/http-worker-link.js';
import type { WorkerLink } from './worker-link/worker-link.js';

const LINK_TIMEOUT_MS = 10_000;

/** The role `worker`: it knows the link and nothing of the store (engine rule 16), and needs no Nest. */
export async function startRole(context: RoleContext): Promise<Running> {
  return await startWorker(httpLinkOf(context.config), await context.openPlugins(), context);
}

/** Starts a worker on a link; `close` gives its work back. */
export async function startWorker(
  link: WorkerLink,
  plugins: PluginHost,
  { config, logger, crashPoint }: RoleContext,
): Promise<Running> {
  const { worker: settings, lease } = config;
  const worker = new Worker({
    link,
    name: settings.name,
    resourceGroup: settings.resourceGroup,
    capacity: settings.slots,
    labels: settings.labels,
    plugins,
    host: new AttemptHost({
      home: resolve(settings.home ?? join(config.process.dataDir, 'work')),
      graceMs: lease.killMs - lease.stopMs,
      warmThreads: 1,
    }),
    renewMs: lease.renewMs,
    stopMs: lease.stopMs,
    logger,
    now: () => new Date(),
    crashPoint,
  });
  await worker.start();
  return { close: async () => await worker.stop() };
}

function httpLinkOf(config: Config): HttpWorkerLink {
  const { linkUrl, linkToken } = config.worker;
  if (linkUrl === undefined || linkToken === undefined) {
    throw new MillraceError('MR-A206', 'A worker needs MILLRACE_LINK_URL and MILLRACE_LINK_TOKEN.');
  }
  return new HttpWorkerLink({
    url: linkUrl,
    token: linkToken.reveal(),
    timeoutMs: Math.min(LINK_TIMEOUT_MS, config.lease.leaseMs / 2),
  });
}
