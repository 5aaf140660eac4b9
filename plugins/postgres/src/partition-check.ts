import type { Finding, PartitionValues, TableSchema } from '@millrace/sdk';
import type { Client } from 'pg';
import { qualifiedName, quoteLiteral, quoteName } from './quoting.js';
import { query } from './session.js';
import { resolveColumn } from './table-catalog.js';

/**
 * That no partition has been made for the values of the rows: each of them would be refused, and
 * with a dirty limit that lets them be, the run would end with an empty partition. It is not made here, because
 * a table has privileges and an owner that its partitions do not get from it.
 */
export async function partitionFindings(
  client: Client,
  schema: TableSchema,
  partition: PartitionValues,
): Promise<readonly Finding[]> {
  const values = Object.entries(partition).map(
    ([name, value]) => [resolveColumn(name, schema).name, value] as const,
  );
  const table = qualifiedName(schema.schema ?? '', schema.table);
  const { columns, isRange } = await partitionKey(client, table);
  // Only where the values alone decide the partition does "none" mean that there is none.
  const isDecided = columns.every((name) => values.some(([column]) => column === name));
  if (columns.length === 0 || !isDecided) return [];
  const condition = values
    .map(([column, value]) => `${quoteName(column)} = ${quoteLiteral(value)}`)
    .join(' AND ');
  const [plan] = await query(
    client,
    `EXPLAIN (FORMAT JSON) SELECT 1 FROM ${table} WHERE ${condition}`,
  );
  if (/"Relation Name"/.test(plan?.[0] ?? '')) return [];
  const named = values.map(([column, value]) => `${column} = '${value}'`).join(' and ');
  const suffix = values.map(([, value]) => value.replaceAll(/\W/g, '_')).join('_');
  const literals = columns.map((name) =>
    quoteLiteral(values.find(([column]) => column === name)?.[1] ?? ''),
  );
  const name = qualifiedName(schema.schema ?? '', `${schema.table}_p${suffix}`);
  const list = literals.join(', ');
  const bound = isRange ? `FROM (${list}) TO (/* the value behind it */)` : `IN (${list})`;
  const ddl = `CREATE TABLE ${name} PARTITION OF ${table} FOR VALUES ${bound}`;
  const message = `${schema.table} has no partition for ${named}. Before the run: ${ddl}`;
  return [{ level: 'error', code: 'MR-D243', message }];
}

export interface PartitionKey {
  /** By which a row finds its partition; none where the table has no lists or ranges of plain columns. */
  readonly columns: readonly string[];
  readonly isRange: boolean;
}

export async function partitionKey(client: Client, table: string): Promise<PartitionKey> {
  const rows = await query(
    client,
    `SELECT a.attname, p.partstrat FROM pg_partitioned_table p
       CROSS JOIN LATERAL unnest(p.partattrs::int2[]) WITH ORDINALITY AS k(attnum, n)
       LEFT JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = k.attnum AND k.attnum > 0
      WHERE p.partrelid = $1::regclass AND p.partstrat IN ('l', 'r') ORDER BY k.n`,
    [table],
  );
  const columns = rows.flatMap(([name]) => name ?? []);
  return {
    columns: columns.length === rows.length ? columns : [],
    isRange: rows[0]?.[1] === 'r',
  };
}
