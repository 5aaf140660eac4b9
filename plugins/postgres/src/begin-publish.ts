import { PluginError } from '@millrace/sdk';
import type { AttemptIdentity, ReplaceScope } from '@millrace/sdk';
import type { Client } from 'pg';
import type { LedgerTable } from './ledger-table.js';
import type { PreparedWrite } from './prepared-write.js';
import { quoteLiteral } from './quoting.js';
import { tallyOf } from './row-tally.js';
import { execute, query } from './session.js';

export interface Publishing {
  readonly ledger: LedgerTable | undefined;
  readonly identity: AttemptIdentity;
  /** Of what the run replaces. */
  readonly kind: ReplaceScope['kind'] | undefined;
  readonly preSql: string | undefined;
}

/** BEGIN, fence, SQL before, and the delete of what this run replaces. Throws MR-D203. */
export async function beginPublish(
  client: Client,
  { plan, target, swap, merge }: PreparedWrite,
  { ledger, identity, kind, preSql }: Publishing,
): Promise<{ readonly rowsDeleted: number }> {
  await query(client, 'BEGIN');
  // A deferred constraint would fail at COMMIT, where no row can be blamed any more.
  await query(client, 'SET CONSTRAINTS ALL IMMEDIATE');
  const decision = await ledger?.lock(client, identity);
  if (decision?.kind === 'published') {
    throw new PluginError('MR-D203', 'this run was published by another attempt meanwhile');
  }
  if (plan.scopeSql !== undefined) await lockScope(client, target, plan.scopeSql, kind);
  if (merge?.takesTurns === true) await lockScope(client, target, '', 'table');
  if (preSql !== undefined && preSql.trim() !== '') await query(client, preSql);
  if (swap !== undefined) {
    const { rows } = await tallyOf(client, `TABLE ${target}`, [], []);
    if (swap === 'truncate') await query(client, `TRUNCATE ${target}`);
    return { rowsDeleted: rows };
  }
  if (plan.scopeSql === undefined) return { rowsDeleted: 0 };
  const deleted = await execute(client, `DELETE FROM ${target} WHERE ${plan.scopeSql}`);
  return { rowsDeleted: deleted.rowCount };
}

/**
 * Two jobs that replace the same rows take turns: the DELETE of the second does not see what the first
 * has inserted and not committed yet, so without this the target would end with the rows of both.
 */
async function lockScope(
  client: Client,
  target: string,
  scopeSql: string,
  kind: ReplaceScope['kind'] | undefined,
): Promise<void> {
  // Another such job takes as long as it takes.
  const [limit] = await query(client, 'SHOW lock_timeout');
  await query(client, 'SET LOCAL lock_timeout = 0');
  if (kind === 'table') {
    await query(client, `LOCK TABLE ${target} IN SHARE ROW EXCLUSIVE MODE`);
  } else {
    await query(client, 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
      `millrace scope ${target} ${scopeSql}`,
    ]);
  }
  await query(client, `SET LOCAL lock_timeout = ${quoteLiteral(limit?.[0] ?? '0')}`);
}
