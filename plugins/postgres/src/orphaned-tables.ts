import { stagingTableOf } from '@millrace/sdk';
import type { StagingName } from '@millrace/sdk';
import type { Client } from 'pg';
import { query } from './session.js';
import type { StagingTable } from './staging-table.js';
import { sliceSession } from './staging-table.js';

/** What is left is found by the next run. */
const MOST_ATTEMPTS = 16;
const KEY = 'hashtextextended(owner, 0)';

/**
 * Says, as long as the connection lives, that the attempt of this staging table does: by an advisory lock of
 * its name. Comes before the table is made, so that a table without a holder of its lock is nobody's.
 */
export async function ownStaging(client: Client, { name }: StagingTable): Promise<void> {
  await query(client, `SELECT pg_advisory_lock(${KEY}) FROM (SELECT $1::text AS owner) AS o`, [
    name,
  ]);
}

/**
 * Drops what attempts that are over have left in the schema, of whatever node and installation, unless a
 * retry may still go on with it. Gives the names.
 */
export async function dropOrphaned(
  client: Client,
  staging: StagingTable,
): Promise<readonly string[]> {
  const all = (await staging.tables(client)).filter(({ name }) => name !== staging.name);
  const owners = await takeFree(client, [...new Set(all.map(({ name }) => name))]);
  const dropped: string[] = [];
  let failure: unknown;
  for (const owner of owners) {
    const tables = all.filter(({ name }) => name === owner);
    try {
      if (await isWanted(client, staging, tables)) continue;
      const names = tables.map(stagingTableOf);
      await staging.dropSoon(client, names);
      dropped.push(...names);
    } catch (error) {
      failure ??= error;
    }
  }
  await release(client, owners);
  if (failure !== undefined && dropped.length === 0) throw failure;
  return dropped;
}

/** Takes the locks that nobody holds, so that nobody else drops these tables or makes them. */
async function takeFree(client: Client, names: readonly string[]): Promise<readonly string[]> {
  if (names.length === 0) return [];
  const rows = await query(
    client,
    `SELECT owner FROM unnest($1::text[]) AS owner WHERE pg_try_advisory_lock(${KEY}) LIMIT ${MOST_ATTEMPTS}`,
    [`{${names.join(',')}}`],
  );
  return rows.map(([name]) => name ?? '');
}

async function release(client: Client, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await query(client, `SELECT pg_advisory_unlock(${KEY}) FROM unnest($1::text[]) AS owner`, [
    `{${names.join(',')}}`,
  ]);
}

/** Whether a retry may still go on with what was staged. */
async function isWanted(
  client: Client,
  staging: StagingTable,
  tables: readonly StagingName[],
): Promise<boolean> {
  const slices = tables.find((table) => table.isSlices);
  if (slices === undefined) return false;
  return await staging.slicesOf(slices.name).isWanted(sliceSession(client));
}
