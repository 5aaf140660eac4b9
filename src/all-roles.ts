import { startApi, workerLinkOf } from './api-role.js';
import type { RoleContext, Running } from './running.js';
import { SchedulerLoops } from './scheduler/scheduler.module.js';
import { schedulerModuleOf } from './scheduler-role.js';
import { startOnStore } from './store-role.js';
import { startWorker } from './worker-role.js';

/** The role `all`: api, scheduler and a worker in one process. */
export async function startRole(context: RoleContext): Promise<Running> {
  return await startOnStore(context, async (store) => {
    const link = workerLinkOf(store, context);
    const plugins = await context.openPlugins();
    const api = await startApi(store, plugins, context, link, {
      modules: [schedulerModuleOf(store, context)],
      loopsOf: (application) => () => application.get(SchedulerLoops, { strict: false }).loops,
    });
    const worker = await startWorker(link, plugins, context);
    return {
      ...api,
      close: async () => {
        await worker.close();
        await api.close();
      },
    };
  });
}
