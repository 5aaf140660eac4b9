import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

import { AppModule } from './app.module.js';
import type { StorePorts } from './process-ports.js';
import type { RoleContext, Running } from './running.js';
import { alertChannelsOf } from './scheduler/alerts/alert-channels.js';
import { SchedulerModule } from './scheduler/scheduler.module.js';
import { startOnStore } from './store-role.js';

/** The role `scheduler`: it plans and releases, and listens nowhere. */
export async function startRole(context: RoleContext): Promise<Running> {
  return await startOnStore(context, async (store) => {
    const application = await NestFactory.createApplicationContext(
      AppModule.of([schedulerModuleOf(store, context)]),
      { logger: false, abortOnError: false },
    );
    return { close: async () => await application.close() };
  });
}

export function schedulerModuleOf(
  store: StorePorts,
  { config, crashPoint, logger }: RoleContext,
): DynamicModule {
  return SchedulerModule.register({
    ...store,
    leaseMs: config.lease.leaseMs,
    kept: config.retention,
    planTimes: { cutoff: config.scheduler.planCutoff, seal: config.scheduler.planSeal },
    planJumpFactor: config.scheduler.planJumpFactor,
    alertChannels: alertChannelsOf(config),
    crashPoint,
    logger,
  });
}
