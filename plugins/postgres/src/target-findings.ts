import type { Finding, TableSchema, WriteContext } from '@millrace/sdk';
import { isMergeMode, mergeKeyFindings } from '@millrace/sdk';
import type { Client } from 'pg';
import type { PostgresSource } from './config.js';
import { partitionFindings } from './partition-check.js';
import { qualifiedName } from './quoting.js';
import { mayCreate, missingRights } from './rights.js';
import { resolveColumn } from './table-catalog.js';
import { referringTables } from './table-shape.js';
import { resolveKeys } from './unique-keys.js';
import type { RowsPlace } from './write-plan.js';
import type { PostgresWriterConfig } from './writer-config.js';

/** What stands in the way of writing to the table in that mode: rights, its keys, and who refers to it. */
export async function targetFindings(
  client: Client,
  schema: TableSchema,
  { mode, key, versions }: PostgresWriterConfig,
  { dataSource, identity, mapping }: WriteContext<PostgresSource>,
  judged: RowsPlace & { readonly findings: readonly Finding[] },
): Promise<readonly Finding[]> {
  const target = qualifiedName(schema.schema ?? '', schema.table);
  const findings: Finding[] = [];
  const refuse = (code: string, message: string): void =>
    void findings.push({ level: 'error', code, message });
  const closesMissing = versions?.missing === 'close';
  const { partition } = judged;
  const hasScope = judged.scope !== undefined;
  for (const right of await missingRights(client, target, { mode, hasScope, closesMissing })) {
    refuse('MR-D106', `permission denied: ${right} on ${target} for ${dataSource.config.user}`);
  }
  if (isMergeMode(mode)) {
    const mapped = mapping.columns.map((c) => resolveColumn(c.target, schema).name);
    const choose = () => resolveKeys(client, schema, target, { mode, key, mapped });
    findings.push(...(await mergeKeyFindings(choose, mapped)));
  }
  const isStaged = isMergeMode(mode) || mode === 'replace-swap';
  if (isStaged && !(await mayCreate(client, schema.schema ?? ''))) {
    const what = `CREATE on schema ${schema.schema ?? ''}: ${mode} needs a staging table`;
    refuse('MR-D106', `permission denied: ${what}`);
  }
  const referring = mode === 'replace-swap' ? await referringTables(client, target) : [];
  if (referring.length > 0) {
    refuse('MR-D192', `foreign keys of ${referring.join(', ')} refer to ${schema.table}`);
  }
  const isSound = [...judged.findings, ...findings].every(({ level }) => level !== 'error');
  if (partition !== undefined && isSound) {
    findings.push(...(await partitionFindings(client, schema, partition)));
  }
  if (mode === 'append' && identity.runNumber > 1) {
    const message = `append: this rerun adds its rows to those of run ${identity.runNumber - 1}`;
    findings.push({ level: 'warning', message });
  }
  return findings;
}
