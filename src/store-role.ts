import { openStorePorts, type StorePorts } from './process-ports.js';
import type { RoleContext, Running } from './running.js';
import { advanceFences } from './store/sql/advance-fences.sql.js';

/** Starts a role that stands on the store and closes the store after it. */
export async function startOnStore(
  { config }: RoleContext,
  start: (store: StorePorts) => Promise<Running>,
): Promise<Running> {
  const store = await openStorePorts(config, config.process.role);
  try {
    await advanceFences(store.database);
    const running = await start(store);
    return {
      ...running,
      close: async () => {
        await running.close();
        await store[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
}
