import { join, resolve } from 'node:path';

import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

import { AppModule } from './app.module.js';
import type { Config } from './config/load-config.js';
import { MillraceError } from './domain/errors.js';
import type { PluginHost } from './plugin-host/plugin-host.js';
import type { CrashPoint, Running } from './running.js';
import type { Logger } from './telemetry/logger.js';
import { AttemptHost } from './worker/attempt/attempt-host.js';
import { WorkerModule } from './worker/worker.module.js';
import { HttpWorkerLink } from './worker-link/http-worker-link.js';
import type { WorkerLink } from './worker-link/worker-link.js';

const LINK_TIMEOUT_MS = 10_000;

/** The role `worker`: it knows the link and nothing of the store (engine rule 16). */
export async function startWorkerRole(
  config: Config,
  plugins: PluginHost,
  log: Logger,
  crashPoint: CrashPoint,
): Promise<Running> {
  const module = workerModuleOf(httpLinkOf(config), config, plugins, log, crashPoint);
  const application = await NestFactory.createApplicationContext(AppModule.of([module]), {
    logger: false,
    abortOnError: false,
  });
  return { close: () => application.close() };
}

export function workerModuleOf(
  link: WorkerLink,
  config: Config,
  plugins: PluginHost,
  logger: Logger,
  crashPoint: CrashPoint,
): DynamicModule {
  const { worker, lease } = config;
  return WorkerModule.register({
    link,
    name: worker.name,
    resourceGroup: worker.resourceGroup,
    capacity: worker.slots,
    plugins,
    host: new AttemptHost({
      home: resolve(worker.home ?? join(config.process.dataDir, 'work')),
      graceMs: lease.killMs - lease.stopMs,
      warmThreads: Math.min(2, worker.slots),
    }),
    renewMs: lease.renewMs,
    stopMs: lease.stopMs,
    logger,
    now: () => new Date(),
    crashPoint,
  });
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
