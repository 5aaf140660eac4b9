import { isMergeMode, PluginError, splitStatements } from '@millrace/sdk';
import type { SqlStatement, TableSchema } from '@millrace/sdk';

import { quoteName, textLiteral } from './literal.js';
import { columnNamed } from './reader-source.js';
import { commitsByItself, refusedReason } from './statement-kind.js';
import type { WriterConfig } from './writer-config.js';

/**
 * The condition of the rows a run replaces; `undefined` when it only adds. Throws MR-D209 where mode and
 * scope do not fit together and MR-D108 for a partition column that is not there.
 */
export function scopeCondition(config: WriterConfig, schema: TableSchema): string | undefined {
  const { mode, replace } = config;
  if (mode === 'truncate' || mode === 'replace-swap') {
    if (replace !== undefined && replace.kind !== 'table') {
      throw new PluginError('MR-D209', `${mode} replaces the whole table, not a part of it`);
    }
    // TRUNCATE would commit by itself and leave the table empty if the rest failed.
    return '1 = 1';
  }
  if (replace === undefined) {
    if (mode === 'append' || isMergeMode(mode)) return undefined;
    throw new PluginError('MR-D209', `${mode} needs \`replace\`: which rows a run replaces`);
  }
  switch (replace.kind) {
    case 'table':
      return '1 = 1';
    case 'predicate':
      return `(${replace.sql}\n)`;
    case 'partition': {
      const values = Object.entries(replace.values);
      if (values.length === 0) throw new PluginError('MR-D209', 'the partition names no column');
      return conditionOf(
        values.map(([name, value]) => [columnNamed(schema, name).name, value] as const),
      );
    }
  }
}

/** Of columns as the table spells them. */
export function conditionOf(values: readonly (readonly [column: string, value: string])[]): string {
  return values.map(([name, value]) => `${quoteName(name)} = ${textLiteral(value)}`).join(' AND ');
}

/** Statements of `preSql` or `postSql`; throws MR-D204 for one that would end the transaction of the rows. */
export function hookStatements(sql: string | undefined): readonly SqlStatement[] {
  const statements = splitStatements(sql ?? '', 'mysql');
  for (const statement of statements) {
    const reason =
      refusedReason(statement) ??
      (commitsByItself(statement)
        ? `${statement.verb.toUpperCase()} commits by itself and cannot run in the transaction of the rows`
        : undefined);
    if (reason !== undefined) throw new PluginError('MR-D204', reason);
  }
  return statements;
}
