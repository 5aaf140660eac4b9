import { PluginError } from '@millrace/sdk';

import type { Ledger } from './ledger.js';
import { quoteName, quoteTable, textLiteral } from './literal.js';
import { hookStatements } from './replace-scope.js';
import type { Session } from './session.js';
import type { StagingTable } from './staging-table.js';
import type { TableName } from './table-catalog.js';
import type { WriterConfig } from './writer-config.js';
import type { WriterTarget } from './writer-target.js';

const DIFFERENCES_SHOWN = 3;

/** The other tables whose foreign keys lead to this one, as far as this account may see them. */
export async function referringTables(
  session: Session,
  { database, table }: TableName,
): Promise<readonly string[]> {
  const rows = await session.rows(
    `SELECT DISTINCT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) AS name FROM information_schema.KEY_COLUMN_USAGE
      WHERE REFERENCED_TABLE_SCHEMA = ${textLiteral(database)} AND REFERENCED_TABLE_NAME = ${textLiteral(table)}
        AND NOT (TABLE_SCHEMA = ${textLiteral(database)} AND TABLE_NAME = ${textLiteral(table)}) ORDER BY 1`,
  );
  return rows.map(([name]) => name ?? '');
}

interface WantedSwap {
  readonly session: Session;
  readonly target: WriterTarget;
  readonly staging: StagingTable;
  readonly ledger: Ledger | undefined;
}

/** What a rename would lose of the target; `undefined`: none is wanted. */
export async function lostByRename(
  { session, target, staging, ledger }: WantedSwap,
  { mode, preSql, postSql }: WriterConfig,
): Promise<readonly string[] | undefined> {
  if (mode !== 'replace-swap') return undefined;
  if (!target.isTransactional) return ['rows of a failed slice'];
  if (ledger === undefined) return ['its row in the ledger'];
  const hooks = [...hookStatements(preSql), ...hookStatements(postSql)];
  if (hooks.length > 0) return ['the transaction with the SQL before and after'];
  return tryDouble(session, target, staging);
}

/**
 * Makes the staging table as a double of the target; says what a rename would lose all the same, and then it
 * is dropped again. Grants and views go by the name, so they stay.
 */
async function tryDouble(
  session: Session,
  target: WriterTarget,
  staging: StagingTable,
): Promise<readonly string[]> {
  await staging.create(session, target, 'double');
  const differences = await doubleDifferences(session, target, staging);
  if (differences.length === 0 && !(await mayRename(session, staging))) {
    differences.push('nothing, but this account may not rename it');
  }
  if (differences.length > 0) await staging.drop(session);
  return differences;
}

/** What a rename would lose of the target. */
export async function doubleDifferences(
  session: Session,
  { name }: WriterTarget,
  staging: StagingTable,
): Promise<string[]> {
  const triggers = await session.rows(
    `SELECT TRIGGER_NAME FROM information_schema.TRIGGERS
      WHERE EVENT_OBJECT_SCHEMA = ${textLiteral(name.database)} AND EVENT_OBJECT_TABLE = ${textLiteral(name.table)}`,
  );
  const target = await definitionOf(session, quoteTable(name.database, name.table), name.table);
  const double = await definitionOf(session, staging.quoted, staging.name);
  const lost = target.lines.filter((line) => !double.lines.includes(line));
  return [
    ...triggers.map(([trigger]) => `trigger ${trigger ?? ''}`),
    ...lost.slice(0, DIFFERENCES_SHOWN),
  ];
}

/** Gives the target's name to the staging table and its own to what it replaces: both at once, or neither. */
export async function swapTables(
  session: Session,
  { name }: WriterTarget,
  staging: StagingTable,
): Promise<void> {
  const quoted = quoteTable(name.database, name.table);
  const [target, double] = [
    await definitionOf(session, quoted, name.table),
    await definitionOf(session, staging.quoted, staging.name),
  ];
  if (target.nextId > double.nextId) {
    await session.run(`ALTER TABLE ${staging.quoted} AUTO_INCREMENT = ${target.nextId}`);
  }
  await session.run(
    `RENAME TABLE ${quoted} TO ${staging.replaced}, ${staging.quoted} TO ${quoted}`,
  );
}

async function mayRename(session: Session, { quoted, replaced }: StagingTable): Promise<boolean> {
  try {
    await session.run(`RENAME TABLE ${quoted} TO ${replaced}, ${replaced} TO ${quoted}`);
    return true;
  } catch (error) {
    if (!(error instanceof PluginError) || error.code !== 'MR-D106') throw error;
    return false;
  }
}

/** The lines of SHOW CREATE TABLE; names that the server makes of the table's name follow a rename. */
async function definitionOf(
  session: Session,
  quoted: string,
  name: string,
): Promise<{ readonly lines: readonly string[]; readonly nextId: bigint }> {
  const [row] = await session.rows(`SHOW CREATE TABLE ${quoted}`);
  const text = row?.[1] ?? '';
  const own = quoteName(name).slice(0, -1);
  const lines = text
    .replace(/ AUTO_INCREMENT=\d+/, '')
    .replaceAll(`${own}_chk_`, '`_chk_')
    .split('\n')
    .slice(1)
    .map((line) => line.trim().replace(/,$/, ''));
  return { lines, nextId: BigInt(/ AUTO_INCREMENT=(\d+)/.exec(text)?.[1] ?? 0) };
}
