import {
  columnVerdict,
  isMergeMode,
  mergeKeyFindings,
  missingNameText,
  PluginError,
  resolveName,
  resolveVersions,
  versionColumns,
  withVersions,
} from '@millrace/sdk';
import type {
  AttemptIdentity,
  Column,
  ColumnVerdict,
  Finding,
  JobContext,
  Mapping,
  PartitionValues,
  TableSchema,
  Versions,
  WriteContext,
} from '@millrace/sdk';

import { quoteName, quoteTable } from './literal.js';
import type { MysqlConfig } from './config.js';
import { partitionFindings } from './partition-check.js';
import { columnNamed } from './reader-source.js';
import { serverErrorOf } from './mysql-error.js';
import { hookStatements, scopeCondition } from './replace-scope.js';
import type { Session } from './session.js';
import { readTable, resolveTable } from './table-catalog.js';
import type { TableFacts, TableName } from './table-catalog.js';
import { referringTables } from './table-swap.js';
import { resolveKeys } from './unique-keys.js';
import { checkVersionTimes } from './version-merge.js';
import { versionSettings } from './writer-config.js';
import type { WriterConfig } from './writer-config.js';

export interface ColumnPair {
  readonly source: Column;
  readonly target: Column;
  /** The column is of the partition of the rows, and this is its value there. */
  readonly partition?: string;
}

/** The table a writer writes to, resolved against the server. */
export interface WriterTarget extends TableFacts {
  readonly name: TableName;
  readonly isTransactional: boolean;
  /** Absent: the mode keeps no versions. */
  readonly versions: Versions | undefined;
  /** It is not there yet: this is what is proposed. */
  readonly isMissing?: boolean;
}

export async function resolveTarget(
  session: Session,
  config: WriterConfig,
  { dataSource, identity, log }: JobContext<MysqlConfig>,
): Promise<WriterTarget> {
  const { database } = dataSource.config;
  const name = await resolveTable(session, database, config.table, (text) => log.info(text));
  const facts = await readTable(session, name);
  const versions = versionsOf(facts.schema, config, identity);
  if (versions !== undefined) await checkVersionTimes(session, versions);
  const engines = await session.rows(
    "SELECT ENGINE FROM information_schema.ENGINES WHERE TRANSACTIONS = 'YES'",
  );
  const isTransactional = engines.some(([engine]) => engine === facts.engine);
  const schema = withVersions(facts.schema, versions);
  return { ...facts, schema, name, isTransactional, versions };
}

export function versionsOf(
  schema: TableSchema,
  config: WriterConfig,
  identity: AttemptIdentity,
): Versions | undefined {
  const settings = versionSettings(config);
  return settings && resolveVersions(settings, identity, (name) => columnNamed(schema, name));
}

/** Throws MR-D108 for a target column that is not there. */
export function columnPairs(target: WriterTarget, mapping: Mapping): readonly ColumnPair[] {
  const { columns, table } = target.schema;
  return mapping.columns.map(({ source, target: wanted }) => {
    const names = columns.map((c) => c.name);
    const match = resolveName(wanted, names, 'insensitive');
    const column = columns.find((c) => c.name === match.name);
    if (column !== undefined) return { source, target: column };
    const near = match.name === undefined ? match.near : undefined;
    throw new PluginError('MR-D108', missingNameText('column', wanted, table, near));
  });
}

/** Everything that would stop the job later, found before anything is written. */
export async function checkTarget(
  session: Session,
  target: WriterTarget,
  { mapping, addsTo }: Pick<WriteContext, 'mapping' | 'addsTo'>,
  config: WriterConfig,
): Promise<{ verdicts: readonly ColumnVerdict[]; findings: readonly Finding[] }> {
  const findings: Finding[] = [];
  const note = (error: unknown): void => {
    if (!(error instanceof PluginError)) throw error;
    findings.push({ level: 'error', code: error.code, message: error.detail });
  };
  let pairs: readonly ColumnPair[] = [];
  try {
    pairs = columnPairs(target, mapping);
    hookStatements(config.preSql);
    hookStatements(config.postSql);
    await tryStatements(session, target, pairs, scopeCondition(config, target.schema));
  } catch (error) {
    note(error);
  }
  const referring =
    config.mode === 'replace-swap' ? await referringTables(session, target.name) : [];
  if (referring.length > 0) {
    const message = `foreign keys of ${referring.join(', ')} refer to ${target.name.table}`;
    findings.push({ level: 'error', code: 'MR-D192', message });
  }
  if (findings.length === 0) {
    const partition = partitionOf(config, addsTo);
    findings.push(...(await partitionFindings(session, target, pairs, partition)));
  }
  const { mode, key } = config;
  if (isMergeMode(mode)) {
    const mapped = pairs.map((p) => p.target.name);
    const choose = () => resolveKeys(session, target, { mode, key, mapped });
    findings.push(...(await mergeKeyFindings(choose, mapped)));
  }
  const verdicts = pairs.map((p) => columnVerdict(p.source, p.target, 'mysql'));
  findings.push(...mappingFindings(target, pairs, verdicts));
  if (!target.isTransactional && !target.isView) {
    findings.push({
      level: 'warning',
      message: `${target.name.table} uses ${target.engine ?? 'an engine'} without transactions: rows are staged first, but a crash while they are published leaves a part of them until the next run.`,
    });
  }
  return { verdicts, findings };
}

function mappingFindings(
  target: WriterTarget,
  pairs: readonly ColumnPair[],
  verdicts: readonly ColumnVerdict[],
): readonly Finding[] {
  const error = (message: string, column?: string): Finding => ({
    level: 'error',
    code: 'MR-D208',
    message,
    ...(column === undefined ? {} : { column }),
  });
  const findings: Finding[] = [];
  if (target.isView) {
    const message = `${target.name.table} is a view: name its table`;
    findings.push({ level: 'error', code: 'MR-D209', message });
  }
  for (const v of verdicts) {
    if (v.verdict === 'impossible') {
      findings.push(error(`${v.source} to ${v.target}: ${v.reason ?? 'impossible'}`, v.target));
    }
  }
  const mapped = new Set(pairs.map((p) => p.target.name));
  if (pairs.length > 0 && mapped.size < pairs.length) {
    findings.push(error('a target column is mapped twice'));
  }
  for (const column of target.schema.columns) {
    const needed = !column.nullable && column.hasDefault !== true && column.generated !== true;
    if (pairs.length > 0 && needed && !mapped.has(column.name)) {
      findings.push(error(`${column.name} needs a value and is not mapped`, column.name));
    }
  }
  return findings;
}

/** EXPLAIN asks for the same privileges and columns as the statement itself and changes nothing. */
async function tryStatements(
  session: Session,
  target: WriterTarget,
  pairs: readonly ColumnPair[],
  condition: string | undefined,
): Promise<void> {
  const table = quoteTable(target.name.database, target.name.table);
  if (target.isMissing === true) return;
  const writable = pairs.map((p) => p.target).filter((column) => column.generated !== true);
  const filled = target.versions === undefined ? [] : versionColumns(target.versions);
  const written = [...writable, ...filled];
  const names = written.map((column) => quoteName(column.name)).join(', ');
  const nulls = written.map(() => 'NULL').join(', ');
  if (written.length > 0) {
    await explain(session, `INSERT INTO ${table} (${names}) SELECT ${nulls} FROM DUAL WHERE 1 = 0`);
  }
  if (condition !== undefined) await explain(session, `DELETE FROM ${table} WHERE ${condition}`);
}

const IMPOSSIBLE_NULL = 1048;

async function explain(session: Session, sql: string): Promise<void> {
  try {
    await session.run(`EXPLAIN ${sql}`);
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    if (serverErrorOf(cause).errno !== IMPOSSIBLE_NULL) throw error;
  }
}

/** The partition that each row is of: the one that a run replaces, or has replaced. */
function partitionOf(
  { replace }: WriterConfig,
  addsTo: PartitionValues | undefined,
): PartitionValues {
  return (replace?.kind === 'partition' ? replace.values : addsTo) ?? {};
}

/** Those of the partition of the rows know its value. */
export function withPartition(
  pairs: readonly ColumnPair[],
  config: WriterConfig,
  addsTo: PartitionValues | undefined,
): readonly ColumnPair[] {
  const values = Object.entries(partitionOf(config, addsTo));
  return pairs.map((pair) => {
    const own = pair.target.name.toLowerCase();
    const [, partition] = values.find(([name]) => name.toLowerCase() === own) ?? [];
    return partition === undefined ? pair : { ...pair, partition };
  });
}

/** Rows are found by the key, so that none of its columns may be NULL. */
export function withKey(pair: ColumnPair, key: readonly string[]): ColumnPair {
  const { target } = pair;
  // A field of a boolean is not its text.
  const isPlain = pair.source.type.kind !== 'boolean';
  if (!isPlain || !target.nullable || !key.includes(target.name)) return pair;
  return { source: { ...pair.source, unchecked: true }, target: { ...target, nullable: false } };
}
