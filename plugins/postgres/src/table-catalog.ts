import type { Column, TableSchema } from '@millrace/sdk';
import type { Client } from 'pg';
import { PluginError, missingNameText, resolveName } from '@millrace/sdk';
import { logicalTypeOf } from './column-type.js';
import { query } from './session.js';

/** Tables, partitioned tables, views, materialised views and foreign tables. */
const READABLE = `c.relkind IN ('r', 'p', 'v', 'm', 'f')`;

/**
 * Finds a table by the name a user wrote: as it stands, else in lower case, as PostgreSQL folds an
 * unquoted name. Throws MR-D107 with the nearest spelling.
 */
export async function describeTable(
  client: Client,
  schemaWanted: string,
  tableWanted: string,
): Promise<TableSchema> {
  const schema = await resolveSchema(client, schemaWanted);
  const names = await query(
    client,
    `SELECT c.relname, c.oid::text, c.reltuples::bigint::text
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND ${READABLE}`,
    [schema],
  );
  const match = resolveName(
    tableWanted,
    names.map((r) => r[0] ?? ''),
    'fold-lower',
  );
  if (match.name === undefined) {
    const text = missingNameText('table', tableWanted, `schema "${schema}"`, match.near);
    throw new PluginError('MR-D107', text);
  }
  const row = names.find((r) => r[0] === match.name);
  const estimated = Number(row?.[2] ?? -1);
  const oid = row?.[1] ?? '0';
  return {
    schema,
    table: match.name,
    columns: await columnsOf(client, oid),
    primaryKey: await primaryKeyOf(client, oid),
    ...(estimated >= 0 ? { estimatedRows: estimated } : {}),
  };
}

/** The columns a query gives; what it reads stays unread. */
export async function describeQuery(client: Client, sql: string): Promise<readonly Column[]> {
  const result = await client.query({
    text: `SELECT * FROM (${sql}\n) AS q LIMIT 0`,
    rowMode: 'array',
  });
  const types = await query(
    client,
    `SELECT format_type(t, m) FROM unnest($1::oid[], $2::int[]) WITH ORDINALITY AS u(t, m, i) ORDER BY i`,
    [
      `{${result.fields.map((f) => f.dataTypeID).join(',')}}`,
      `{${result.fields.map((f) => f.dataTypeModifier).join(',')}}`,
    ],
  );
  return result.fields.map((field, i) => {
    const nativeType = types[i]?.[0] ?? 'text';
    const type = logicalTypeOf(nativeType);
    return {
      name: field.name,
      nativeType,
      system: 'postgres',
      type,
      nullable: true,
      dialect: 'postgres',
    };
  });
}

/** The server's spelling of a column; throws MR-D108 with the nearest one. */
export function resolveColumn(wanted: string, schema: TableSchema): Column {
  const names = schema.columns.map((c) => c.name);
  const match = resolveName(wanted, names, 'fold-lower');
  const column = schema.columns.find((c) => c.name === match.name);
  if (column === undefined) {
    const near = match.name === undefined ? match.near : undefined;
    throw new PluginError('MR-D108', missingNameText('column', wanted, `"${schema.table}"`, near));
  }
  return column;
}

/** The server's spelling of a schema; throws MR-D107 with the nearest one. */
export async function resolveSchema(client: Client, wanted: string): Promise<string> {
  const names = (await query(client, 'SELECT nspname FROM pg_namespace')).map((r) => r[0] ?? '');
  const match = resolveName(wanted, names, 'fold-lower');
  if (match.name !== undefined) return match.name;
  throw new PluginError('MR-D107', missingNameText('schema', wanted, 'this database', match.near));
}

async function columnsOf(client: Client, oid: string): Promise<readonly Column[]> {
  // Domains are shown under their own name and judged by the type below them.
  const rows = await query(
    client,
    `WITH RECURSIVE base AS (
       SELECT a.attnum, a.atttypid AS t, a.atttypmod AS m
         FROM pg_attribute a WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
       UNION ALL
       SELECT b.attnum, d.typbasetype, CASE WHEN d.typtypmod >= 0 THEN d.typtypmod ELSE b.m END
         FROM base b JOIN pg_type d ON d.oid = b.t AND d.typtype = 'd')
     SELECT a.attname, format_type(a.atttypid, a.atttypmod), format_type(b.t, b.m),
            a.attnotnull::text, (a.attgenerated <> '' OR a.attidentity = 'a')::text,
            (a.atthasdef OR a.attidentity <> '')::text, co.collname
       FROM pg_attribute a
       JOIN base b ON b.attnum = a.attnum
       JOIN pg_type bt ON bt.oid = b.t AND bt.typtype <> 'd'
       LEFT JOIN pg_collation co ON co.oid = a.attcollation AND co.collname <> 'default'
      WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    [oid],
  );
  return rows.map(([name, native, base, notNull, generated, hasDefault, collation]) => ({
    name: name ?? '',
    nativeType: native ?? '',
    system: 'postgres',
    type: logicalTypeOf(base ?? ''),
    nullable: notNull !== 'true',
    dialect: 'postgres',
    ...(generated === 'true' ? { generated: true } : {}),
    ...(hasDefault === 'true' ? { hasDefault: true } : {}),
    ...(collation ? { collation } : {}),
  }));
}

async function primaryKeyOf(client: Client, oid: string): Promise<readonly string[]> {
  const rows = await query(
    client,
    `SELECT a.attname FROM pg_index i
       CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, n)
       JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
      WHERE i.indrelid = $1::oid AND i.indisprimary ORDER BY k.n`,
    [oid],
  );
  return rows.map((r) => r[0] ?? '');
}
