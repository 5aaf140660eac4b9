import type { Lane, MergeKeys, ReplaceScope, WriteContext, WriteMode } from '@millrace/sdk';
import type { Merge } from './merge.js';
import type { StagingTable } from './staging-table.js';
import type { WritePlan } from './write-plan.js';

/** How rows go to the target. */
export interface WritingWay {
  /** By which rows of the target are found; absent: by none. */
  readonly keys: MergeKeys | undefined;
  readonly plan: WritePlan;
  readonly lanes: readonly Lane[];
  /** Quoted. */
  readonly target: string;
  /** By a staging table. */
  readonly isStaged: boolean;
  /** They had better be staged, but this account may not create a table. */
  readonly mayNotStage: boolean;
}

/** What `prepare` settled for the rest of the job. */
export interface PreparedWrite {
  readonly plan: WritePlan;
  readonly target: string;
  /** Absent: slices go straight into the target, inside the publishing transaction. */
  readonly staging: StagingTable | undefined;
  /** How the staging table replaces the target, where it does. */
  readonly swap: 'rename' | 'truncate' | undefined;
  readonly merge: Merge | undefined;
  readonly lanes: readonly Lane[];
  /** Its slices are stored: what is committed of them is not read again. */
  isResumable: boolean;
}

export interface WrittenRows {
  /** By which rows of the target are found; absent: by none. */
  readonly keys: MergeKeys | undefined;
  /** What the run replaces; absent: nothing. */
  readonly scope: ReplaceScope | undefined;
}

/** Whether the rows have to wait in a staging table, or had better. */
export function wantsStaging(
  { resumeKey, writers, verification }: WriteContext,
  mode: WriteMode,
  { keys, scope }: WrittenRows,
): boolean {
  // What is staged does not have to be read again, which is worth it where it may be.
  const isWorthIt = scope !== undefined || resumeKey !== undefined;
  return (
    keys !== undefined ||
    mode === 'replace-swap' ||
    (writers > 1 && isWorthIt) ||
    verification === 'checksum'
  );
}
