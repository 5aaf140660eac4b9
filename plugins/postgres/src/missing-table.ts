import type {
  Finding,
  Mapping,
  MergeKeys,
  TableProposal,
  TableSchema,
  WriteContext,
} from '@millrace/sdk';
import {
  PluginError,
  addedVersionColumns,
  chooseMergeKeys,
  creationError,
  isMergeMode,
  mergeKeyFindings,
  shapeOf,
} from '@millrace/sdk';
import type { Client } from 'pg';
import type { PostgresSource } from './config.js';
import { serverErrorOf } from './pg-error.js';
import { proposedTable } from './proposed-table.js';
import { qualifiedName } from './quoting.js';
import { mayCreate } from './rights.js';
import { cancelOnAbort, openSession, query, tagOf } from './session.js';
import { resolveColumn, resolveSchema } from './table-catalog.js';
import type { WantedKeys } from './unique-keys.js';
import { versionSettings } from './writer-config.js';
import type { PostgresWriterConfig } from './writer-config.js';

/** What would create the table that a writer of that configuration misses. */
export async function proposalOf(
  client: Client,
  source: TableSchema,
  config: PostgresWriterConfig,
  { dataSource, mapping }: Pick<WriteContext<PostgresSource>, 'dataSource' | 'mapping'>,
): Promise<TableProposal> {
  const { table, key, replace, createTable } = config;
  const schema = await resolveSchema(client, config.schema ?? dataSource.config.schema);
  const shape = shapeOf(source, mapping, {
    key,
    partition: replace?.kind === 'partition' ? Object.keys(replace.values) : [],
    added: addedVersionColumns(versionSettings(config)),
  });
  const hasType = await knownTypes(client, mapping);
  const proposed = proposedTable({ schema, table }, shape, hasType);
  if (createTable === undefined) return proposed;
  return createTable === 'auto'
    ? { ...proposed, wanted: 'auto' }
    : { ...proposed, wanted: 'own', sql: createTable, notes: [] };
}

/** By the server's own rules for names, so that types of other schemas count too. */
async function knownTypes(
  client: Client,
  { columns }: Mapping,
): Promise<(nativeType: string) => boolean> {
  const own = columns.flatMap(({ source }) =>
    source.system === 'postgres' ? [source.nativeType] : [],
  );
  const rows = await query(
    client,
    'SELECT n FROM unnest($1::text[]) AS n WHERE to_regtype(n) IS NOT NULL',
    [`{${own.map((name) => JSON.stringify(name)).join(',')}}`],
  );
  const known = new Set(rows.map(([name]) => name));
  return (nativeType) => known.has(nativeType);
}

const MOST_NAME_BYTES = 63;

/** What stands in the way of a table that is not there yet. */
export async function proposalFindings(
  client: Client,
  proposed: TableSchema,
  { mode, key, createTable }: PostgresWriterConfig,
  mapping: Mapping,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  // The server would cut them without a word, and the rows would find no such column.
  for (const name of [proposed.table, ...proposed.columns.map((c) => c.name)]) {
    if (Buffer.byteLength(name) <= MOST_NAME_BYTES) continue;
    const message = `"${name}" is longer than the ${MOST_NAME_BYTES} bytes of a name: map it to a shorter one`;
    findings.push({ level: 'error', code: 'MR-D208', message });
  }
  const schema = proposed.schema ?? '';
  if (createTable !== undefined && !(await mayCreate(client, schema))) {
    const message = `permission denied: CREATE on schema ${schema}`;
    findings.push({ level: 'error', code: 'MR-D106', message });
  }
  if (isMergeMode(mode)) {
    const mapped = mapping.columns.map((c) => resolveColumn(c.target, proposed).name);
    const choose = () => Promise.resolve(proposedKeys(proposed, { mode, key, mapped }));
    findings.push(...(await mergeKeyFindings(choose, mapped)));
  }
  return findings;
}

/** By what rows would be compared; throws MR-D190 where the table would have no such key. */
export function proposedKeys(proposed: TableSchema, { mode, key, mapped }: WantedKeys): MergeKeys {
  const spelled = (name: string): string => resolveColumn(name, proposed).name;
  const { primaryKey } = proposed;
  return chooseMergeKeys(mode, proposed, primaryKey.length === 0 ? [] : [primaryKey], {
    wanted: key?.map(spelled),
    written: mapped.map(spelled),
  });
}

/** The table, its type and the rows of both in the catalogue: where two statements create it at the same moment. */
const TAKEN: readonly (string | undefined)[] = ['42P07', '42710', '23505'];

/** Creates the table. The statement may be the user's, so it has a connection of its own. */
export async function createMissing(
  { sql, schema: { schema = '', table } }: TableProposal,
  { dataSource, identity, signal }: WriteContext<PostgresSource>,
): Promise<void> {
  await using session = await openSession(dataSource.config, 'script', tagOf(identity));
  using _ = cancelOnAbort(dataSource.config, session, signal);
  try {
    await query(session.client, sql);
  } catch (error) {
    signal.throwIfAborted();
    if (!(await isThere(session.client, error, qualifiedName(schema, table)))) {
      throw creationError(error);
    }
  }
}

/** Somebody else was faster. */
async function isThere(client: Client, error: unknown, quotedTable: string): Promise<boolean> {
  const state = error instanceof PluginError ? serverErrorOf(error.cause)?.sqlState : undefined;
  if (!TAKEN.includes(state)) return false;
  const [row] = await query(client, 'SELECT to_regclass($1)::text', [quotedTable]);
  return typeof row?.[0] === 'string';
}
