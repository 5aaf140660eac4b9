import type { Finding, PartitionValues } from '@millrace/sdk';

import { quoteName, quoteTable, textLiteral } from './literal.js';
import { columnNamed } from './reader-source.js';
import { conditionOf } from './replace-scope.js';
import type { Session } from './session.js';
import type { ColumnPair, WriterTarget } from './writer-target.js';

/** Methods that have no place for a value that no partition was made for. */
const WITH_GAPS = /^(LIST|RANGE)( COLUMNS)?$/;

/**
 * What keeps rows out of their partition: a column of it that nothing fills, or a partition
 * that has not been made. It is not made here: ALTER TABLE commits by itself, and would stay when the run fails.
 */
export async function partitionFindings(
  session: Session,
  target: WriterTarget,
  pairs: readonly ColumnPair[],
  partition: PartitionValues,
): Promise<readonly Finding[]> {
  if (Object.keys(partition).length === 0) return [];
  const values = Object.entries(partition).map(
    ([name, value]) => [columnNamed(target.schema, name).name, value] as const,
  );
  const mapped = new Set(pairs.map((pair) => pair.target.name));
  const defaults = await defaultsOf(session, target);
  const findings = values
    .filter(([column, value]) => !mapped.has(column) && defaults.get(column) !== value)
    .map(([column, value]): Finding => ({
      level: 'error',
      code: 'MR-D208',
      column,
      message: `${column} is of the partition that is replaced and is not mapped: its rows would lie outside of it, and stay at the next run. Map the constant '${value}' to it.`,
    }));
  const missing = await missingPartition(session, target, values);
  return missing === undefined ? findings : [...findings, missing];
}

/** What the server puts into a column that nothing fills. MariaDB quotes texts, MySQL does not. */
async function defaultsOf(
  session: Session,
  { name: { database, table } }: WriterTarget,
): Promise<ReadonlyMap<string, string>> {
  const rows = await session.rows(
    `SELECT COLUMN_NAME, COLUMN_DEFAULT FROM information_schema.COLUMNS
      WHERE TABLE_SCHEMA = ${textLiteral(database)} AND TABLE_NAME = ${textLiteral(table)}
        AND COLUMN_DEFAULT IS NOT NULL`,
  );
  return new Map(
    rows.map(([name, value]) => [name ?? '', (value ?? '').replace(/^'(.*)'$/s, '$1')]),
  );
}

async function missingPartition(
  session: Session,
  target: WriterTarget,
  values: readonly (readonly [string, string])[],
): Promise<Finding | undefined> {
  const { database, table } = target.name;
  const [kind] = await session.rows(
    `SELECT PARTITION_METHOD, PARTITION_EXPRESSION FROM information_schema.PARTITIONS
      WHERE TABLE_SCHEMA = ${textLiteral(database)} AND TABLE_NAME = ${textLiteral(table)}
        AND PARTITION_NAME IS NOT NULL LIMIT 1`,
  );
  const [method, expression] = kind ?? [];
  if (!WITH_GAPS.test(String(method ?? ''))) return undefined;
  // Only where the values alone decide the partition does "none" mean that there is none.
  const columns = String(expression ?? '')
    .replaceAll('`', '')
    .split(',');
  const isDecided = columns.every((name) => values.some(([column]) => column === name.trim()));
  if (!isDecided) return undefined;
  const version = String((await session.value('SELECT VERSION()')) ?? '');
  const explain = version.includes('MariaDB') ? 'EXPLAIN PARTITIONS' : 'EXPLAIN FORMAT=TRADITIONAL';
  // Without indexes: a key that finds no row would end the planning before partitions are looked at.
  const [plan] = await session.rows(
    `${explain} SELECT 1 FROM ${quoteTable(database, table)} USE INDEX () WHERE ${conditionOf(values)}`,
  );
  if ((plan?.[3] ?? null) !== null) return undefined;
  const named = values.map(([column, value]) => `${column} = '${value}'`).join(' and ');
  const suffix = values.map(([, value]) => value.replaceAll(/\W/g, '_')).join('_');
  const literals = values.map(([, value]) => textLiteral(value)).join(', ');
  const list = values.length === 1 ? `(${literals})` : `((${literals}))`;
  const bound = String(method).startsWith('LIST')
    ? `VALUES IN ${list}`
    : `VALUES LESS THAN (/* the value behind it */)`;
  const ddl = `ALTER TABLE ${quoteName(table)} ADD PARTITION (PARTITION ${quoteName(`p${suffix}`)} ${bound})`;
  return {
    level: 'error',
    code: 'MR-D243',
    message: `${table} has no partition for ${named}. Before the run: ${ddl}`,
  };
}
