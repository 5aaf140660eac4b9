import { createHash } from 'node:crypto';
import { PluginError } from '@millrace/sdk';
import type { Session } from './session.js';

const WAIT_SECONDS = 10;

/**
 * Begins the transaction that replaces rows. Jobs that replace the same rows take turns by a lock of the
 * server, held until the session ends: the DELETE of the second would not see what the first has inserted
 * and not committed.
 *
 * The gap locks of REPEATABLE READ were tried for that first: they also lock the neighbouring keys, and two
 * partitions that are neighbours in an index then wait for each other. With the lock, READ COMMITTED is
 * enough; only a server that logs statements refuses it.
 */
export async function startReplacing(
  session: Session,
  table: string,
  condition: string | undefined,
): Promise<void> {
  if (condition !== undefined) {
    const database = await session.value('SELECT DATABASE()');
    const name = lockNameOf(`${database} ${table} ${condition}`);
    for (let got: string | null | undefined; got !== '1';) {
      got = await session.value(`SELECT GET_LOCK('${name}', ${WAIT_SECONDS})`);
      if (got !== '1' && got !== '0') throw new PluginError('MR-D210', `GET_LOCK gave ${got}`);
    }
  }
  const [format] = await session.rows("SHOW SESSION VARIABLES LIKE 'binlog_format'");
  const level = format?.[1] === 'STATEMENT' ? 'REPEATABLE READ' : 'READ COMMITTED';
  await session.run(`SET TRANSACTION ISOLATION LEVEL ${level}`);
  await session.run('START TRANSACTION');
}

/** At most 64 characters, which is as long as such a name may be. */
function lockNameOf(scope: string): string {
  return `millrace_scope_${createHash('sha256').update(scope).digest('hex').slice(0, 40)}`;
}
