import type { RegisteredCode } from '../../domain/error-registry.js';
import type { ProducedPartition } from '../../store/sql/cycle-history.sql.js';

/** Partitions of one table that somebody is known to have written. */
export interface SourceTable {
  /** Whose workers reach it: that in which the nodes run. */
  readonly resourceGroup: string;
  readonly resourceGroupId: number;
  readonly dataSource: string;
  readonly table: string;
  readonly partitions: readonly string[];
}

/** What a check at the source looks for. */
export interface SourceQuestion {
  readonly tables: readonly SourceTable[];
  /** The records it is about: what is written while it is looked for has others. */
  readonly records: ReadonlySet<string>;
  readonly askedAt: Date;
}

export interface UncheckedTable extends SourceTable {
  readonly code: RegisteredCode;
  readonly detail: string;
}

/** What a check at the source has found. */
export interface SourceFinding extends Omit<SourceQuestion, 'tables'> {
  readonly tables: readonly (
    UncheckedTable | (SourceTable & { readonly gone: readonly string[] })
  )[];
}

export type Standing = 'present' | 'gone' | 'unchecked';
export type StandingOf = (record: ProducedPartition) => Standing;

/**
 * How a record stands by what was found for the workers of a group. One that was written since is as new as a
 * check can be; an older one that was not looked for, since the workflow was another, is unchecked. Without a
 * finding every record is believed.
 */
export function standingsBy(finding: SourceFinding | undefined): (groupId: number) => StandingOf {
  if (finding === undefined) return () => () => 'present';
  const found = new Map(
    finding.tables.map((table) => {
      const gone = 'gone' in table ? new Set(table.gone) : undefined;
      const key = tableKey({ ...table, tableName: table.table }, table.resourceGroupId);
      return [key, gone] as const;
    }),
  );
  return (groupId) => (record) => {
    if (!finding.records.has(recordKey(record, groupId)))
      return record.writtenAt < finding.askedAt ? 'unchecked' : 'present';
    const gone = found.get(tableKey(record, groupId));
    if (gone === undefined) return 'unchecked';
    return gone.has(record.partition) ? 'gone' : 'present';
  };
}

export function uncheckedTables(finding: SourceFinding | undefined): readonly UncheckedTable[] {
  return (finding?.tables ?? []).filter((table) => 'code' in table);
}

export function tableKey(
  { dataSource, tableName }: Pick<ProducedPartition, 'dataSource' | 'tableName'>,
  groupId: number,
): string {
  return JSON.stringify([groupId, dataSource, tableName]);
}

/** One writing of a partition. */
export function recordKey(record: ProducedPartition, groupId: number): string {
  const { nodeId, partition, writtenAt } = record;
  return `${nodeId} ${writtenAt.getTime()} ${tableKey(record, groupId)} ${partition}`;
}
