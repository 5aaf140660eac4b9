import type { Column, LogicalType, TableSchema } from '../table.js';
import type { Mapping } from '../writer.js';

/** A column that no column of the source fills: the writer does, or the server. */
export interface AddedColumn {
  readonly name: string;
  readonly type: LogicalType;
  readonly nullable: boolean;
  readonly inKey: boolean;
}

/** A column of a table that is missing, its type still in the spelling of the source. */
export interface ShapedColumn {
  readonly name: string;
  readonly source: Column;
  readonly nullable: boolean;
}

/** What a table has to be for the rows of a mapping, in no system's words yet. */
export interface TableShape {
  readonly columns: readonly ShapedColumn[];
  /** Of the primary key, in key order; empty without one. */
  readonly key: readonly string[];
  readonly notes: readonly string[];
}

export interface ShapeOptions {
  /** The columns by which the write mode compares rows, as the configuration spells them. */
  readonly key?: readonly string[] | undefined;
  /** The columns of the partition that a run replaces. */
  readonly partition?: readonly string[] | undefined;
  readonly added?: readonly AddedColumn[] | undefined;
}

/**
 * The columns of the mapping, then those of the partition that it leaves out, then the added ones. The primary
 * key is what rows are compared by, else that of the source where all of it is mapped. The partition belongs to
 * it: each partition may hold the same keys.
 */
export function shapeOf(
  source: TableSchema,
  mapping: Mapping,
  { key: wanted, partition = [], added = [] }: ShapeOptions,
): TableShape {
  const mapped = new Map<string, Column>();
  for (const { source: from, target } of mapping.columns) {
    if (!mapped.has(target)) mapped.set(target, from);
  }
  const names = [...mapped.keys()];
  const left = partition.filter((name) => spelledIn(names, name) === undefined);
  const extra = [...left.map(partitionColumn), ...added];
  const all = [...names, ...extra.map(({ name }) => name)];
  const own = sourceKey(source, mapping);
  const compared = wanted?.map((name) => spelledIn(all, name) ?? name);
  const isKnown = compared?.every((name) => all.includes(name)) === true;
  const base = compared === undefined ? own : isKnown ? compared : [];
  const parts = partition.map((name) => spelledIn(all, name) ?? name);
  const key =
    base.length === 0
      ? []
      : [
          ...parts.filter((name) => !base.includes(name)),
          ...base,
          ...added.filter(({ inKey }) => inKey).map(({ name }) => name),
        ];
  const isOther = own.some((name) => !base.includes(name));
  return {
    columns: [
      ...[...mapped].map(([name, from]) => ({ name, source: from, nullable: from.nullable })),
      ...extra.map(({ name, type, nullable }) => ({
        name,
        source: { name, nativeType: 'added', type, nullable },
        nullable,
      })),
    ].map((column) => (key.includes(column.name) ? { ...column, nullable: false } : column)),
    key,
    notes: isOther
      ? [`rows are compared by (${base.join(', ')}), which is not the key of the source`]
      : [],
  };
}

/** `definitions` are its columns and its key. */
export function createTableSql(
  table: string,
  definitions: readonly string[],
  options = '',
): string {
  return `CREATE TABLE ${table} (\n${definitions.map((line) => `  ${line}`).join(',\n')}\n)${options}`;
}

function partitionColumn(name: string): AddedColumn {
  return { name, type: { kind: 'text', length: 255 }, nullable: false, inKey: true };
}

/** What the key of the source is called in the target; empty where a part of it is left out. */
function sourceKey({ primaryKey }: TableSchema, { columns }: Mapping): readonly string[] {
  const found = primaryKey.flatMap((name) => {
    // A constant bears the name of its target.
    const pair = columns.find((c) => c.source.name === name && c.source.nativeType !== 'constant');
    return pair === undefined ? [] : [pair.target];
  });
  return found.length === primaryKey.length ? found : [];
}

function spelledIn(names: readonly string[], wanted: string): string | undefined {
  const lower = wanted.toLowerCase();
  return names.includes(wanted) ? wanted : names.find((name) => name.toLowerCase() === lower);
}
