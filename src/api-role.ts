import type { DynamicModule, INestApplicationContext } from '@nestjs/common';

import { ApiModule } from './api/api.module.js';
import { createHttpApplication } from './api/http-application.js';
import type { ApiPorts } from './api/ports.js';
import { AppModule } from './app.module.js';
import { MillraceError } from './domain/errors.js';
import type { PluginHost } from './plugin-host/plugin-host.js';
import type { StorePorts } from './process-ports.js';
import type { RoleContext, Running } from './running.js';
import { alertChannelsOf } from './scheduler/alerts/alert-channels.js';
import { ScheduleCommands } from './scheduler/scheduler-commands.js';
import { startOnStore } from './store-role.js';
import { VERSION } from './version.js';
import { HttpLinkServer } from './worker-link/http-link-server.js';
import { SqlWorkerLink } from './worker-link/sql-worker-link.js';

/** The role `api`: the API, the console and the link of the workers. */
export async function startRole(context: RoleContext): Promise<Running> {
  return await startOnStore(
    context,
    async (store) =>
      await startApi(store, await context.openPlugins(), context, workerLinkOf(store, context)),
  );
}

export function workerLinkOf(
  store: StorePorts,
  { config, crashPoint }: RoleContext,
): SqlWorkerLink {
  return new SqlWorkerLink({ ...store, leaseMs: config.lease.leaseMs, crashPoint });
}

/** What a process has that is more than an api. */
interface Others {
  readonly modules: readonly DynamicModule[];
  /** The loops whose turns the metrics tell. */
  loopsOf(application: INestApplicationContext): NonNullable<ApiPorts['loops']>;
}

/** @throws MR-A201 the address is taken or may not be listened on */
export async function startApi(
  store: StorePorts,
  plugins: PluginHost,
  { config, logger, crashPoint }: RoleContext,
  link: SqlWorkerLink,
  others?: Others,
): Promise<Running> {
  const { database, clock, wakeBus, box, logStore } = store;
  let loops: NonNullable<ApiPorts['loops']> = () => [];
  const api = ApiModule.register({
    database,
    wakeBus,
    secretBox: box,
    ...(logStore === undefined ? {} : { logStore }),
    plugins,
    commands: new ScheduleCommands(database, clock, wakeBus, plugins, crashPoint),
    alertChannels: alertChannelsOf(config),
    logger,
    version: VERSION,
    loops: () => loops(),
  });
  const application = await createHttpApplication(AppModule.of([...(others?.modules ?? []), api]), [
    new HttpLinkServer(link, database, clock).handle,
  ]);
  if (others !== undefined) loops = others.loopsOf(application);
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
  return {
    port: isBound ? Number(address.port) : port,
    close: async () => await application.close(),
  };
}
