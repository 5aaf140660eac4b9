import type { SqlStatement } from '@millrace/sdk';

import type { Ledger } from './ledger.js';
import type { Merge } from './merge.js';
import { replacedText } from './writer-preview.js';
import type { Session } from './session.js';
import type { SkippedLines } from './skipped-lines.js';
import type { StagingTable } from './staging-table.js';
import type { WriterConfig } from './writer-config.js';
import type { ColumnPair, WriterTarget } from './writer-target.js';

/** What `prepare` settled for the rest of the job. */
export interface PreparedWrite {
  readonly session: Session;
  readonly ledger: Ledger | undefined;
  readonly target: WriterTarget;
  readonly table: string;
  readonly pairs: readonly ColumnPair[];
  /** Absent: the rows go into the target itself, in the one transaction of `session`. */
  readonly staging: StagingTable | undefined;
  /** What a rename of the staging table would lose; empty: it takes the target's place. */
  readonly lost: readonly string[] | undefined;
  readonly merge: Merge | undefined;
  readonly condition: string | undefined;
  readonly preSql: readonly SqlStatement[];
  readonly postSql: readonly SqlStatement[];
  readonly maxAllowedPacket: number;
  readonly skippedLines: SkippedLines | undefined;
  /** Its slices are stored: what is committed of them is not read again. */
  isResumable: boolean;
  /** The first number of a task whose rows no older attempt has numbered. */
  firstTaskNo: number;
}

/** What the plan says of rows that go straight into the target. */
export function directLabel({ target }: PreparedWrite, config: WriterConfig): string {
  return `one transaction on ${target.name.table}, committed with its ledger row${replacedText(config)}`;
}

/** What the plan says of rows that go through a staging table. */
export function stagingLabel(p: PreparedWrite, config: WriterConfig): string {
  const { table } = p.target.name;
  if (!p.target.isTransactional) {
    const engine = p.target.engine ?? 'its engine';
    return `staging table, then ${table} without a transaction (${engine}): not atomic`;
  }
  if (p.lost?.length === 0) {
    return `staging table, which is renamed to ${table}; the ledger says before and after what was done`;
  }
  const lost = p.lost === undefined ? '' : `; a renamed table would lose ${p.lost.join(', ')}`;
  const ledger =
    p.ledger === undefined
      ? 'no ledger: a retry after a lost answer repeats it'
      : 'with its ledger row';
  return `staging table, then one transaction on ${table}, ${ledger}${lost}${replacedText(config)}`;
}
