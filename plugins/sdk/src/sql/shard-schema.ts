import type { TableSchema } from '../table.js';

/**
 * What a reader says of tables that it reads into one target: the first one's columns, NULL allowed where
 * any of them allows it, and the rows of all.
 */
export function shardSchema(schemas: readonly [TableSchema, ...TableSchema[]]): TableSchema {
  const [first] = schemas;
  if (schemas.length === 1) return first;
  const columns = first.columns.map((column, i) => ({
    ...column,
    nullable: schemas.some((schema) => schema.columns[i]?.nullable !== false),
  }));
  const estimatedRows = schemas.reduce((sum, schema) => sum + (schema.estimatedRows ?? 0), 0);
  return { ...first, columns, estimatedRows };
}

/** What one of several tables is called in the log: with its database where they are of several. */
export function shardLabel(shard: TableSchema, all: readonly TableSchema[]): string {
  const isOfOne = all.every(({ schema }) => schema === shard.schema);
  return isOfOne || shard.schema === undefined ? shard.table : `${shard.schema}.${shard.table}`;
}
