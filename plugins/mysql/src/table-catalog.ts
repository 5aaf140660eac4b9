import { nearestName, PluginError } from '@millrace/sdk';
import type { Column, TableSchema } from '@millrace/sdk';

import { logicalTypeOf } from './column-type.js';
import { quoteTable, textLiteral } from './literal.js';
import type { Session } from './session.js';

/** A table as the server spells it. */
export interface TableName {
  readonly database: string;
  readonly table: string;
}

export interface TableFacts {
  readonly schema: TableSchema;
  /** `InnoDB`, `MyISAM`, …; undefined for a view. */
  readonly engine: string | undefined;
  readonly isView: boolean;
}

const MOST_NAMES = 5_000;

/**
 * Finds a table by the server's own rule for names; where it is case-sensitive and only one table
 * differs by case alone, that one is taken and `note` is told. Throws MR-D107 with the spellings there
 * are, or MR-D106 when the server says that a privilege is what is missing.
 */
export async function resolveTable(
  session: Session,
  database: string,
  wanted: string,
  note: (text: string) => void,
): Promise<TableName> {
  const rows = await session.rows(
    `SELECT TABLE_NAME FROM information_schema.TABLES
      WHERE TABLE_SCHEMA = ${textLiteral(database)} AND LOWER(TABLE_NAME) = LOWER(${textLiteral(wanted)})`,
  );
  const spellings = rows.map(([name]) => name ?? '');
  if (spellings.includes(wanted)) return { database, table: wanted };
  const [only, ...others] = spellings;
  if (only !== undefined && others.length === 0) {
    note(`Table ${wanted} is spelled ${only} on the server: ${only} is used.`);
    return { database, table: only };
  }
  if (only !== undefined) {
    throw new PluginError(
      'MR-D107',
      `"${wanted}" could be any of ${spellings.join(', ')}: write it exactly`,
    );
  }
  await refusalOf(session, database, wanted);
  return { database, table: wanted };
}

/** Lets the server itself say what is wrong with the name, and adds the nearest one. */
async function refusalOf(session: Session, database: string, wanted: string): Promise<void> {
  try {
    await session.run(`SELECT 1 FROM ${quoteTable(database, wanted)} LIMIT 0`);
  } catch (error) {
    if (!(error instanceof PluginError) || error.code !== 'MR-D107') throw error;
    const near = nearestName(wanted, await tableNames(session, database));
    const hint = near === undefined ? '' : `; did you mean ${near}?`;
    throw new PluginError('MR-D107', `${error.detail}${hint}`, { cause: error });
  }
}

async function tableNames(session: Session, database: string): Promise<readonly string[]> {
  const rows = await session.rows(
    `SELECT TABLE_NAME FROM information_schema.TABLES
      WHERE TABLE_SCHEMA = ${textLiteral(database)} LIMIT ${MOST_NAMES}`,
  );
  return rows.map(([name]) => name ?? '');
}

/** Columns, key, engine and estimated rows of a table that {@link resolveTable} found. */
export async function readTable(session: Session, name: TableName): Promise<TableFacts> {
  const where = `TABLE_SCHEMA = ${textLiteral(name.database)} AND TABLE_NAME = ${textLiteral(name.table)}`;
  const columns = await session.rows(
    `SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION,
            NUMERIC_SCALE, DATETIME_PRECISION, CHARACTER_SET_NAME, COLLATION_NAME, EXTRA, COLUMN_DEFAULT
       FROM information_schema.COLUMNS WHERE ${where} ORDER BY ORDINAL_POSITION`,
  );
  const key = await session.rows(
    `SELECT COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE
      WHERE ${where} AND CONSTRAINT_NAME = 'PRIMARY' ORDER BY ORDINAL_POSITION`,
  );
  const [facts] = await session.rows(
    `SELECT ENGINE, TABLE_TYPE, TABLE_ROWS, VERSION() FROM information_schema.TABLES WHERE ${where}`,
  );
  const estimated = facts?.[2];
  const isMariadb = /mariadb/i.test(facts?.[3] ?? '');
  return {
    schema: {
      schema: name.database,
      table: name.table,
      columns: columns.map((row) => columnOf(row, isMariadb)),
      primaryKey: key.map(([column]) => column ?? ''),
      ...(typeof estimated === 'string' ? { estimatedRows: Number(estimated) } : {}),
    },
    engine: facts?.[0] ?? undefined,
    isView: facts?.[1] !== 'BASE TABLE',
  };
}

function columnOf(row: readonly (string | null)[], isMariadb: boolean): Column {
  const [name, dataType, columnType, nullable, length, precision, scale, fraction] = row;
  const [, , , , , , , , charset, collation, extra, defaultValue] = row;
  const native = columnType ?? '';
  const marks = (extra ?? '').toLowerCase();
  const byServer = /\b(virtual|stored|persistent) generated\b|\b(virtual|persistent|stored)\b/;
  const hasDefault =
    (defaultValue ?? null) !== null || /auto_increment|default_generated/.test(marks);
  const type = logicalTypeOf({
    dataType: (dataType ?? '').toLowerCase(),
    columnType: native.toLowerCase(),
    length: length ?? null,
    precision: precision ?? null,
    scale: scale ?? null,
    fraction: fraction ?? null,
  });
  return {
    name: name ?? '',
    nativeType: native,
    system: isMariadb ? 'mariadb' : 'mysql',
    type,
    nullable: nullable === 'YES',
    dialect: 'mysql',
    ...(isMariadb && type.kind === 'float' ? { signlessZero: true } : {}),
    ...(byServer.test(marks) ? { generated: true } : {}),
    ...(hasDefault ? { hasDefault: true } : {}),
    ...(typeof charset === 'string' ? { charset } : {}),
    ...(typeof collation === 'string' ? { collation } : {}),
  };
}
