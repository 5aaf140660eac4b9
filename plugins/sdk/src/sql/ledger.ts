import { PluginError } from '../error.js';
import type { AttemptIdentity, RunLog } from '../run.js';
import type { SqlDialect } from './statements.js';

/**
 * The ledger: the one table in a target that proves what was committed. Whoever publishes (writer or SQL
 * node) writes its row in the transaction of the rows themselves, so both are there or neither is.
 *
 * Order of a publish: lock the key, read the row, {@link judgeLedger}, write the rows, write the row, COMMIT.
 * At its start an attempt claims the key: it writes its fence and leaves `run` as it is, so that an older
 * attempt that wakes up later is refused even before the newer one has published.
 *
 * Rows of finished runs go: an attempt writes its `settledFence` to the node's own row
 * ({@link nodeKeyOf}) and then removes the rows of other scheduled times up to it. A frozen attempt of such
 * a run is refused by that row where it has not claimed yet, and by the absence of its own where it has.
 */
export const DEFAULT_LEDGER_TABLE = 'millrace_ledger';

export interface LedgerKey {
  readonly installation: string;
  readonly nodeId: string;
  readonly scheduledTime: string;
  /** Empty for what a job publishes as a whole. */
  readonly slice: string;
}

export interface LedgerRow {
  /** `<instanceId>:<runNumber>` of the run that committed last; empty: only claimed so far. */
  readonly run: string;
  /** Decimal digits. */
  readonly fence: string;
  readonly rows: number;
  readonly rowsDeleted: number;
}

/** An attempt of a node whose run is over, as its row in the ledger tells of it. */
export type SettledAttempt = Pick<LedgerKey, 'scheduledTime'> & Pick<LedgerRow, 'fence'>;

export type LedgerDecision =
  | { readonly kind: 'write' }
  | { readonly kind: 'published'; readonly rows: number; readonly rowsDeleted: number };

export function ledgerKeyOf(
  identity: Pick<AttemptIdentity, 'installation' | 'nodeId' | 'scheduledTime'>,
  slice = '',
): LedgerKey {
  const { installation, nodeId, scheduledTime } = identity;
  return { installation, nodeId, scheduledTime, slice };
}

/** The row of a node: in `fence` the largest {@link AttemptIdentity.settledFence} its attempts have brought. */
export function nodeKeyOf(identity: AttemptIdentity): LedgerKey {
  const { installation, nodeId } = identity;
  return { installation, nodeId, scheduledTime: '', slice: '' };
}

/** The row that keeps, in `run`, how far the runs of a node have read. No run clears it away. */
export function cursorKeyOf(identity: AttemptIdentity): LedgerKey {
  const { installation, nodeId } = identity;
  return { installation, nodeId, scheduledTime: '', slice: 'cursor' };
}

/** MR-D219: what the run has read begins where another run of the node has begun too. */
export function cursorMoved(from: string | undefined): PluginError {
  return new PluginError(
    'MR-D219',
    `another run of this node has read on from ${from ?? 'the beginning'} meanwhile`,
  );
}

export function runOf(identity: AttemptIdentity): string {
  return `${identity.instanceId}:${identity.runNumber}`;
}

/**
 * What an attempt may do after it read the row of its key under the lock. Throws MR-D203 when an attempt
 * with a larger fence has been here, or when the node's row says that its run is over; `published` when
 * this very run has already committed.
 */
export function judgeLedger(
  stored: LedgerRow | undefined,
  identity: AttemptIdentity,
  settled = '0',
): LedgerDecision {
  if (BigInt(settled) >= BigInt(identity.fence)) {
    throw new PluginError(
      'MR-D203',
      `attempt ${identity.attempt} has fence ${identity.fence}; all runs of the node up to ${settled} have ended`,
    );
  }
  if (stored === undefined) return { kind: 'write' };
  if (BigInt(stored.fence) > BigInt(identity.fence)) {
    throw new PluginError(
      'MR-D203',
      `attempt ${identity.attempt} has fence ${identity.fence}, the target has seen ${stored.fence}`,
    );
  }
  return stored.run === runOf(identity)
    ? { kind: 'published', rows: stored.rows, rowsDeleted: stored.rowsDeleted }
    : { kind: 'write' };
}

/** The same for an attempt that has claimed its key: without a row its run has been cleared away as over. */
export function judgeClaimed(
  stored: LedgerRow | undefined,
  identity: AttemptIdentity,
  settled?: string,
): LedgerDecision {
  const decision = judgeLedger(stored, identity, settled);
  if (stored !== undefined) return decision;
  throw new PluginError(
    'MR-D203',
    `the ledger row of attempt ${identity.attempt} (fence ${identity.fence}) is gone: its run has ended`,
  );
}

/** The ledger's DDL for a database administrator; `quotedName` is already quoted. */
export function ledgerDdl(dialect: SqlDialect, quotedName: string): string {
  const big = dialect === 'postgres' ? 'numeric(38,0)' : 'decimal(38,0)';
  const time = dialect === 'postgres' ? 'timestamptz' : 'timestamp(6)';
  const now = dialect === 'postgres' ? 'now()' : 'CURRENT_TIMESTAMP(6)';
  const options =
    dialect === 'mysql' ? ' ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin' : '';
  return `CREATE TABLE IF NOT EXISTS ${quotedName} (
  installation varchar(64) NOT NULL,
  node_id varchar(64) NOT NULL,
  scheduled_time varchar(40) NOT NULL,
  slice varchar(190) NOT NULL,
  run varchar(120) NOT NULL,
  fence ${big} NOT NULL,
  row_count bigint NOT NULL,
  rows_deleted bigint NOT NULL,
  committed_at ${time} NOT NULL DEFAULT ${now},
  PRIMARY KEY (installation, node_id, scheduled_time, slice)
)${options}`;
}

/**
 * Drops what runs that are over have staged, and says so. `false` when it could not: the ledger keeps their
 * fences, by which the next attempt of the node finds them.
 */
export async function droppedSettled(
  drop: () => Promise<readonly string[]>,
  log: RunLog,
): Promise<boolean> {
  try {
    const names = await drop();
    if (names.length > 0) {
      log.info(`Dropped what runs that are over have left: ${names.join(', ')}`);
    }
    return true;
  } catch (error) {
    const words = error instanceof PluginError ? error.detail : String(error);
    log.warn(`What runs that are over have staged stays until the next attempt: ${words}`);
    return false;
  }
}
