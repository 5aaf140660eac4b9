import {
  addedVersionColumns,
  creationError,
  PluginError,
  shapeOf,
  splitStatements,
  withVersions,
} from '@millrace/sdk';
import type { TableProposal, TableSchema, WriteContext } from '@millrace/sdk';

import { cancelOnAbort } from './cancel-on-abort.js';
import type { MysqlConfig } from './config.js';
import { quoteTable } from './literal.js';
import { serverErrorOf } from './mysql-error.js';
import { proposedTable } from './proposed-table.js';
import type { TableServer } from './proposed-table.js';
import { Session } from './session.js';
import { versionSettings } from './writer-config.js';
import type { WriterConfig } from './writer-config.js';
import { versionsOf } from './writer-target.js';
import type { WriterTarget } from './writer-target.js';
import { openWriting } from './writing-session.js';

/** What would create the table that a writer of that configuration misses. */
export async function proposalOf(
  session: Session,
  source: TableSchema,
  config: WriterConfig,
  { dataSource, mapping }: Pick<WriteContext<MysqlConfig>, 'dataSource' | 'mapping'>,
): Promise<TableProposal> {
  const { table, key, replace, createTable } = config;
  const shape = shapeOf(source, mapping, {
    key,
    partition: replace?.kind === 'partition' ? Object.keys(replace.values) : [],
    added: addedVersionColumns(versionSettings(config)),
  });
  const collations = shape.columns.flatMap((column) => column.source.collation ?? []);
  const server = await tableServerOf(session, collations);
  const proposed = proposedTable({ database: dataSource.config.database, table }, shape, server);
  if (createTable === undefined) return proposed;
  return createTable === 'auto'
    ? { ...proposed, wanted: 'auto' }
    : { ...proposed, wanted: 'own', sql: createTable, notes: [] };
}

/** The proposed table in the place of the one that is missing. */
export function targetOf(
  { schema: proposed }: TableProposal,
  config: WriterConfig,
  { identity }: Pick<WriteContext, 'identity'>,
): WriterTarget {
  const name = { database: proposed.schema ?? '', table: proposed.table };
  const versions = versionsOf(proposed, config, identity);
  const schema = withVersions(proposed, versions);
  const facts = { schema, name, engine: 'InnoDB', isView: false, isTransactional: true };
  return { ...facts, versions, isMissing: true };
}

/** None pads: a text with a blank at its end is another one in other systems. */
const KEY_COLLATIONS = ['utf8mb4_0900_bin', 'utf8mb4_nopad_bin'];

async function tableServerOf(
  session: Session,
  collations: readonly string[],
): Promise<TableServer> {
  const known = new Set<string>();
  for (const name of new Set([...collations, ...KEY_COLLATIONS])) {
    if (await hasCollation(session, name)) known.add(name);
  }
  const version = String((await session.value('SELECT VERSION()')) ?? '');
  return {
    system: /mariadb/i.test(version) ? 'mariadb' : 'mysql',
    keyCollation: KEY_COLLATIONS.find((name) => known.has(name)) ?? 'utf8mb4_bin',
    hasCollation: (name) => known.has(name),
  };
}

/** The catalogue of MariaDB lists the newer ones without their character set: the server itself is asked. */
async function hasCollation(session: Session, name: string): Promise<boolean> {
  const [charset = ''] = name.split('_');
  if (!/^\w+$/.test(name)) return false;
  try {
    await session.run(`SELECT CONVERT('' USING ${charset}) COLLATE ${name}`);
    return true;
  } catch (error) {
    if (session.closed) throw error;
    return false;
  }
}

const TABLE_EXISTS = 1050;

/** Creates the table. A statement of the user has a connection with the server's own settings. */
export async function createMissing(
  { sql, wanted, schema: { schema = '', table } }: TableProposal,
  ctx: WriteContext<MysqlConfig>,
): Promise<void> {
  const { dataSource, signal } = ctx;
  await using session =
    wanted === 'own' ? await Session.open(dataSource.config, { signal }) : await openWriting(ctx);
  await using _ = cancelOnAbort(session, dataSource.config, signal);
  try {
    for (const { text } of splitStatements(sql, 'mysql')) await session.run(text);
  } catch (error) {
    signal.throwIfAborted();
    const cause = error instanceof PluginError ? error.cause : error;
    const isThere = serverErrorOf(cause).errno === TABLE_EXISTS;
    if (!isThere || !(await canBeRead(session, quoteTable(schema, table)))) {
      throw creationError(error);
    }
  }
}

/** Somebody else was faster, and it is not another table of the statement that is there. */
async function canBeRead(session: Session, table: string): Promise<boolean> {
  return await session.run(`SHOW COLUMNS FROM ${table}`).then(
    () => true,
    () => false,
  );
}
