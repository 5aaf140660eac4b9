import { expect, test } from '@jest/globals';

import { openStore } from '../../support/store.js';

interface ColumnFact {
  readonly table: string;
  readonly column: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly primary: boolean;
}

test('entities and the migrated database name the same columns with the same types', async () => {
  await using store = await openStore();
  const actual = await store.database.rows<ColumnFact>(
    `SELECT c.relname AS table, a.attname AS column, format_type(a.atttypid, NULL) AS type,
            NOT a.attnotnull AS nullable,
            EXISTS (SELECT FROM pg_index x WHERE x.indrelid = c.oid AND x.indisprimary
                     AND a.attnum = ANY (x.indkey)) AS primary
       FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'millrace_migration'`,
  );
  const declared = store.database.orm.entityMetadatas.flatMap((entity) =>
    entity.columns.map((column): ColumnFact => {
      const type = column.type === 'timestamptz' ? 'timestamp with time zone' : String(column.type);
      return {
        table: entity.tableName,
        column: column.databaseName,
        type: column.isArray ? `${type}[]` : type,
        nullable: column.isNullable,
        primary: column.isPrimary,
      };
    }),
  );
  expect(declared.length).toBeGreaterThan(200);
  expect(sorted(declared)).toEqual(sorted(actual));
});

function sorted(facts: readonly ColumnFact[]): ColumnFact[] {
  const keyOf = (fact: ColumnFact): string => `${fact.table}.${fact.column}`;
  return [...facts].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}
