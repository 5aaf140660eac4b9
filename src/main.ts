import 'reflect-metadata';

import { join, resolve } from 'node:path';

import type { DynamicModule, INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

import { ApiModule } from './api/api.module.js';
import { createHttpApplication } from './api/http-application.js';
import { AppModule } from './app.module.js';
import { type Config, loadConfig } from './config/load-config.js';
import { readStdinConfig } from './config/stdin-config.js';
import { crashPlanOf, crashPointsOf } from './dataplane/crash-point.js';
import { MillraceError, registeredCodeOf } from './domain/errors.js';
import { PluginHost } from './plugin-host/plugin-host.js';
import { openStorePorts, type StorePorts } from './process-ports.js';
import { ScheduleCommands } from './scheduler/scheduler-commands.js';
import { SchedulerLoops, SchedulerModule } from './scheduler/scheduler.module.js';
import { createLogger, type Logger } from './telemetry/logger.js';
import { AttemptHost } from './worker/attempt/attempt-host.js';
import { WorkerModule } from './worker/worker.module.js';
import { HttpLinkServer } from './worker-link/http-link-server.js';
import { HttpWorkerLink } from './worker-link/http-worker-link.js';
import { SqlWorkerLink } from './worker-link/sql-worker-link.js';
import type { WorkerLink } from './worker-link/worker-link.js';
import { VERSION } from './version.js';

const LINK_TIMEOUT_MS = 10_000;

/** One process of Millrace: opens what its role needs, says that it is ready, ends when told to. */
async function main(): Promise<void> {
  const stdin = await readStdinConfig();
  const config = loadConfig(undefined, process.env, stdin.overlay);
  const { role } = config.process;
  const log = createLogger({
    name: role === 'worker' ? config.worker.name : role,
    level: config.process.logLevel,
  });
  const crashPoint = crashPointsOf(crashPlanOf(process.env));
  const plugins = await PluginHost.open(config.process.plugins, [process.cwd()]);
  for (const refused of plugins.refused) log.error({ err: refused }, 'a plugin was refused');

  const store = role === 'worker' ? undefined : await openStorePorts(config, role);
  const link = store === undefined ? undefined : sqlLinkOf(store, config, crashPoint);
  const roles: DynamicModule[] = [];
  const runs = (name: typeof role): boolean => role === 'all' || role === name;
  if (store !== undefined && runs('scheduler')) roles.push(schedulerOf(store, config, log));
  let application: INestApplicationContext | undefined;
  if (store !== undefined && runs('api')) {
    roles.push(apiOf(store, config, plugins, log, () => application));
  }
  if (runs('worker'))
    roles.push(workerOf(link ?? httpLinkOf(config), config, plugins, log, crashPoint));

  const address = await start(roles, store, link, config, (started) => {
    application = started;
  });
  process.stdout.write(`${JSON.stringify({ ready: true, role, ...address })}\n`);

  await Promise.race([stdin.parentGone, signalled()]);
  await application?.close();
  await store?.[Symbol.asyncDispose]();
}

async function start(
  roles: readonly DynamicModule[],
  store: StorePorts | undefined,
  link: WorkerLink | undefined,
  config: Config,
  started: (application: INestApplicationContext) => void,
): Promise<{ port?: number }> {
  const isApi = config.process.role === 'all' || config.process.role === 'api';
  if (!isApi || store === undefined || link === undefined) {
    const context = await NestFactory.createApplicationContext(AppModule.of(roles), {
      logger: false,
      abortOnError: false,
    });
    started(context);
    return {};
  }
  const application = await createHttpApplication(AppModule.of(roles), [
    new HttpLinkServer(link, store.database).handle,
  ]);
  started(application);
  const { host, port } = config.api;
  try {
    await application.listen(port, host);
  } catch (error) {
    throw new MillraceError('MR-A201', error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  }
  const address: unknown = application.getHttpServer().address();
  const bound =
    typeof address === 'object' && address !== null && 'port' in address
      ? Number(address.port)
      : port;
  return { port: bound };
}

function sqlLinkOf(
  store: StorePorts,
  config: Config,
  crashPoint: (name: string) => Promise<void>,
): SqlWorkerLink {
  return new SqlWorkerLink({ ...store, leaseMs: config.lease.leaseMs, crashPoint });
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

function schedulerOf(store: StorePorts, config: Config, logger: Logger): DynamicModule {
  return SchedulerModule.register({
    ...store,
    leaseMs: config.lease.leaseMs,
    planTimes: { cutoff: config.scheduler.planCutoff, seal: config.scheduler.planSeal },
    logger,
  });
}

function apiOf(
  store: StorePorts,
  config: Config,
  plugins: PluginHost,
  logger: Logger,
  application: () => INestApplicationContext | undefined,
): DynamicModule {
  const { database, clock, wakeBus, box } = store;
  return ApiModule.register({
    database,
    wakeBus,
    secretBox: box,
    plugins,
    commands: new ScheduleCommands(database, clock, wakeBus, plugins),
    logger,
    version: VERSION,
    loops: () =>
      config.process.role === 'all'
        ? (application()?.get(SchedulerLoops, { strict: false }).loops ?? [])
        : [],
  });
}

function workerOf(
  link: WorkerLink,
  config: Config,
  plugins: PluginHost,
  logger: Logger,
  crashPoint: (name: string) => Promise<void>,
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
    }),
    renewMs: lease.renewMs,
    stopMs: lease.stopMs,
    logger,
    now: () => new Date(),
    crashPoint,
  });
}

async function signalled(): Promise<void> {
  await new Promise<void>((end) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end());
  });
}

try {
  await main();
  process.exit(0);
} catch (error) {
  const code = registeredCodeOf(error) ?? 'MR-A109';
  const detail = error instanceof MillraceError ? error.detail : String(error);
  process.stdout.write(`${JSON.stringify({ ready: false, code, detail })}\n`);
  process.stderr.write(
    `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exit(1);
}
