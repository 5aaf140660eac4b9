import type { DynamicModule, INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

import type { ApiPorts } from './api/ports.js';
import { AppModule } from './app.module.js';
import type { Config } from './config/load-config.js';
import { MillraceError } from './domain/errors.js';
import type { PluginHost } from './plugin-host/plugin-host.js';
import { openStorePorts, type StorePorts } from './process-ports.js';
import type { CrashPoint, Running } from './running.js';
import type { Logger } from './telemetry/logger.js';
import { advanceFences } from './store/sql/advance-fences.sql.js';
import { VERSION } from './version.js';
import { SqlWorkerLink } from './worker-link/sql-worker-link.js';

/**
 * The roles that stand on the store: `api`, `scheduler`, and `all`, which has the worker too. Each loads
 * its own modules alone: a scheduler does not wait for the api's.
 */
export async function startStoreRole(
  config: Config,
  plugins: PluginHost,
  log: Logger,
  crashPoint: CrashPoint,
): Promise<Running> {
  const store = await openStorePorts(config, config.process.role);
  try {
    await advanceFences(store.database);
    const { application, port } = await startApplication(store, config, plugins, log, crashPoint);
    return {
      ...(port === undefined ? {} : { port }),
      close: async () => {
        await application.close();
        await store[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
}

async function startApplication(
  store: StorePorts,
  config: Config,
  plugins: PluginHost,
  log: Logger,
  crashPoint: CrashPoint,
): Promise<{ application: INestApplicationContext; port?: number }> {
  const { role } = config.process;
  const link = new SqlWorkerLink({ ...store, leaseMs: config.lease.leaseMs, crashPoint });
  const roles: DynamicModule[] = [];
  if (role !== 'api') roles.push(await schedulerOf(store, config, log, crashPoint));
  if (role === 'all') {
    const { workerModuleOf } = await import('./worker-role.js');
    roles.push(workerModuleOf(link, config, plugins, log, crashPoint));
  }
  if (role === 'scheduler') {
    const application = await NestFactory.createApplicationContext(AppModule.of(roles), {
      logger: false,
      abortOnError: false,
    });
    return { application };
  }
  return await startApi(store, config, plugins, log, link, roles);
}

async function schedulerOf(
  store: StorePorts,
  config: Config,
  logger: Logger,
  crashPoint: CrashPoint,
): Promise<DynamicModule> {
  const [{ SchedulerModule }, { alertChannelsOf }] = await Promise.all([
    import('./scheduler/scheduler.module.js'),
    import('./scheduler/alerts/alert-channels.js'),
  ]);
  return SchedulerModule.register({
    ...store,
    leaseMs: config.lease.leaseMs,
    planTimes: { cutoff: config.scheduler.planCutoff, seal: config.scheduler.planSeal },
    alertChannels: alertChannelsOf(config),
    crashPoint,
    logger,
  });
}

async function startApi(
  store: StorePorts,
  config: Config,
  plugins: PluginHost,
  logger: Logger,
  link: SqlWorkerLink,
  others: readonly DynamicModule[],
): Promise<{ application: INestApplicationContext; port: number }> {
  const [
    { ApiModule },
    { createHttpApplication },
    { HttpLinkServer },
    { ScheduleCommands },
    { alertChannelsOf },
  ] = await Promise.all([
    import('./api/api.module.js'),
    import('./api/http-application.js'),
    import('./worker-link/http-link-server.js'),
    import('./scheduler/scheduler-commands.js'),
    import('./scheduler/alerts/alert-channels.js'),
  ]);
  const { database, clock, wakeBus, box, logStore } = store;
  let loops: NonNullable<ApiPorts['loops']> = () => [];
  const api = ApiModule.register({
    database,
    wakeBus,
    secretBox: box,
    ...(logStore === undefined ? {} : { logStore }),
    plugins,
    commands: new ScheduleCommands(database, clock, wakeBus, plugins),
    alertChannels: alertChannelsOf(config),
    logger,
    version: VERSION,
    loops: () => loops(),
  });
  const application = await createHttpApplication(AppModule.of([...others, api]), [
    new HttpLinkServer(link, database).handle,
  ]);
  if (config.process.role === 'all') {
    const { SchedulerLoops } = await import('./scheduler/scheduler.module.js');
    loops = () => application.get(SchedulerLoops, { strict: false }).loops;
  }
  const { host, port } = config.api;
  try {
    await application.listen(port, host);
  } catch (error) {
    throw new MillraceError('MR-A201', error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  }
  const address: unknown = application.getHttpServer().address();
  const isBound = typeof address === 'object' && address !== null && 'port' in address;
  return { application, port: isBound ? Number(address.port) : port };
}
