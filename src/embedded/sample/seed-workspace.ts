import { SAMPLE_WORKSPACE } from '../../domain/sample-names.js';
import type { Database } from '../../store/database.js';
import {
  insertWorkerToken,
  revokeWorkerTokensNamed,
} from '../../store/repositories/worker-token-repository.js';

/** Slots of the resource group a fresh installation has. */
const DEFAULT_SLOTS = 16;
export const DEFAULT_RESOURCE_GROUP = 'default';

/** Makes the workspace and the resource group of a fresh installation; does nothing where they are. */
export async function seedWorkspace(database: Database, timezone: string): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.run(
      `INSERT INTO resource_group (name, slots) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
      [DEFAULT_RESOURCE_GROUP, DEFAULT_SLOTS],
    );
    await tx.run(
      `INSERT INTO workspace (name, display_name, timezone) VALUES ($1, 'Sample', $2)
       ON CONFLICT DO NOTHING`,
      [SAMPLE_WORKSPACE, timezone],
    );
  });
}

/** A token for workers of one resource group; the tokens of earlier starts under this name end. */
export async function replaceWorkerToken(
  database: Database,
  resourceGroup: string,
  name: string,
): Promise<string> {
  return await database.transaction(async (tx) => {
    await revokeWorkerTokensNamed(tx, name);
    return (await insertWorkerToken(tx, { resourceGroup, name })).token;
  });
}
