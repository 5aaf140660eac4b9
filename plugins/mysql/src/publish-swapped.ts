import { runOf } from '@millrace/sdk';
import type { FinalizeStats, WriteContext } from '@millrace/sdk';

import type { Ledger } from './ledger.js';
import type { Session } from './session.js';
import { StagingTable } from './staging-table.js';
import { startReplacing } from './start-replacing.js';
import { swapTables } from './table-swap.js';
import type { WriterTarget } from './writer-target.js';

/** What a swap works with: the staging table is a double of the target. */
export interface Swap {
  readonly session: Session;
  readonly ledger: Ledger;
  readonly target: WriterTarget;
  /** The target, quoted. */
  readonly table: string;
  readonly staging: StagingTable;
}

/**
 * Puts the staging table in the target's place. RENAME commits by itself, so the ledger row cannot be in its
 * transaction: a row that says what is intended comes first, the run's own afterwards, and an attempt that
 * finds the first decides by the tables that are there.
 */
export async function publishSwapped(
  { session, ledger, target, table, staging }: Swap,
  { crashPoint, signal, log }: Pick<WriteContext, 'crashPoint' | 'signal' | 'log'>,
  rows: number,
): Promise<FinalizeStats> {
  await startReplacing(session, table, '1 = 1');
  await crashPoint('swap:before-intent');
  await ledger.judge(session, 'FOR UPDATE');
  const rowsDeleted = Number(await session.value(`SELECT COUNT(*) FROM ${table}`));
  await ledger.intendSwap(session, { rows, rowsDeleted });
  await session.run('COMMIT');
  await crashPoint('swap:before-rename');
  signal.throwIfAborted();
  await swapTables(session, target, staging);
  await crashPoint('swap:after-rename');
  await ledger.settleSwap(session, { rows, rowsDeleted });
  await crashPoint('swap:after-done');
  // Published: what is left is dropped by the next attempt of this instance.
  await staging.dropReplaced(session).catch((error: unknown) => {
    log.warn(`The replaced table was not dropped: ${String(error)}`);
  });
  await crashPoint('swap:after-drop');
  return { rowsDeleted, rowsPublished: rows };
}

/**
 * Looks what became of a swap that an earlier attempt has begun. Gives what it published when it was this very
 * run; of an older run the rows are in the target, or not, and this one replaces them.
 */
export async function settleOlderSwap(
  session: Session,
  ledger: Ledger,
  target: WriterTarget,
  identity: WriteContext['identity'],
): Promise<FinalizeStats | undefined> {
  const intended = await ledger.intendedSwap(session);
  if (intended === undefined) return undefined;
  const { run, fence, rows, rowsDeleted } = intended;
  const instanceId = run.slice(0, run.lastIndexOf(':'));
  const staging = new StagingTable(target, { ...identity, instanceId, fence });
  const hasSwapped = await staging.hasSwapped(session);
  const isOurs = hasSwapped && run === runOf(identity);
  await ledger.settleSwap(session, isOurs ? { rows, rowsDeleted } : undefined);
  if (hasSwapped) await staging.dropReplaced(session);
  return isOurs ? { rowsDeleted, rowsPublished: rows } : undefined;
}
