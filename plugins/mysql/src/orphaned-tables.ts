import { kindPrefix, PluginError, stagingTableOf } from '@millrace/sdk';
import type { StagingName } from '@millrace/sdk';

import type { Ledger } from './ledger.js';
import type { Session } from './session.js';
import { sliceSession } from './staging-table.js';
import type { StagingTable } from './staging-table.js';

const WAIT_SECONDS = 10;
/** What is left is found by the next run. */
const MOST_ATTEMPTS = 16;

/**
 * Says, as long as `session` lives, that the attempt of this staging table does: the lock is called like the
 * table. Comes before the table is made, so that a table without a holder of its lock is nobody's. Throws MR-D109.
 */
export async function ownStaging(session: Session, { name }: StagingTable): Promise<void> {
  const got = await session.value(`SELECT GET_LOCK('${name}', ${WAIT_SECONDS})`);
  if (got !== '1') throw new PluginError('MR-D109', `another connection holds the lock ${name}`);
}

/**
 * Drops what attempts that are over have left in the database, of whatever node and installation, unless a
 * retry may still go on with it, or the ledger wants to know from it how a swap ended. Gives the names.
 */
export async function dropOrphaned(
  session: Session,
  staging: StagingTable,
  ledger: Ledger | undefined,
): Promise<readonly string[]> {
  const byOwner = new Map<string, StagingName[]>();
  for (const table of await staging.tables(session)) {
    const owner = ownerOf(table);
    if (owner !== staging.name) byOwner.set(owner, [...(byOwner.get(owner) ?? []), table]);
  }
  const owners = await withoutHolder(session, [...byOwner.keys()]);
  if (owners.length === 0) return [];
  const swapping = new Set((await ledger?.swappingFences(session)) ?? []);
  // Without a ledger nobody can tell.
  const mayDropReplaced = (fence: bigint): boolean =>
    ledger !== undefined && !swapping.has(String(fence));
  const dropped: string[] = [];
  let failure: unknown;
  for (const owner of owners.slice(0, MOST_ATTEMPTS)) {
    if ((await session.value(`SELECT GET_LOCK('${owner}', 0)`)) !== '1') continue;
    try {
      const tables = byOwner.get(owner) ?? [];
      const names = (await isWanted(session, staging, tables))
        ? []
        : tables
            .filter((each) => !isReplaced(each) || mayDropReplaced(each.fence))
            .map(stagingTableOf);
      await staging.dropSoon(session, names);
      dropped.push(...names);
    } catch (error) {
      failure ??= error;
    } finally {
      await session.run(`DO RELEASE_LOCK('${owner}')`);
    }
  }
  if (failure !== undefined && dropped.length === 0) throw failure;
  return dropped;
}

/** The lock of the attempt that a table is of. */
function ownerOf({ name }: StagingName): string {
  return name.replace(kindPrefix('old'), kindPrefix('stg'));
}

async function withoutHolder(
  session: Session,
  locks: readonly string[],
): Promise<readonly string[]> {
  if (locks.length === 0) return [];
  const [holders] = await session.rows(
    `SELECT ${locks.map((lock) => `IS_USED_LOCK('${lock}')`).join(', ')}`,
  );
  return locks.filter((_, i) => holders?.[i] === null);
}

/** Whether a retry may still go on with what was staged. */
async function isWanted(
  session: Session,
  staging: StagingTable,
  tables: readonly StagingName[],
): Promise<boolean> {
  const slices = tables.find((table) => table.isSlices);
  if (slices === undefined) return false;
  return await staging.slicesOf(slices.name).isWanted(sliceSession(session));
}

function isReplaced({ name }: StagingName): boolean {
  return name.startsWith(kindPrefix('old'));
}
