import type { WriteContext } from '@millrace/sdk';
import type { Client } from 'pg';
import { quoteName } from './quoting.js';
import { execute, query } from './session.js';
import type { StagingTable } from './staging-table.js';
import { shapeDifferences } from './table-shape.js';
import type { WritePlan } from './write-plan.js';

/** Two tables of one schema, names quoted. */
export interface SwapTables {
  readonly target: string;
  readonly staging: string;
}

/**
 * Makes the staging table as a double of the target; says in what it differs all the same, and then it is
 * dropped again.
 */
export async function tryDouble(
  client: Client,
  staging: StagingTable,
  target: string,
): Promise<readonly string[]> {
  await staging.create(client, target, 'double');
  const differences = await makeDouble(client, { target, staging: staging.quoted });
  if (differences.length > 0) await staging.drop(client);
  return differences;
}

/** What the plan says of the double. */
export function swapLabel(differences: readonly string[]): string {
  return differences.length === 0
    ? ', which is renamed to the target'
    : `, then TRUNCATE and INSERT in one transaction: a renamed table would lose ${differences.join(', ')}`;
}

/**
 * Makes the staging table the target's double in owner, grants and storage parameters, as far as this account
 * may, and says in what it still differs. The rest came with LIKE … INCLUDING ALL.
 */
async function makeDouble(
  client: Client,
  { target, staging }: SwapTables,
): Promise<readonly string[]> {
  const statements = await query(
    client,
    `SELECT format('ALTER TABLE %s SET (%s)', $2::text,
              (SELECT string_agg(split_part(o, '=', 1) || ' = ' || quote_literal(substr(o, strpos(o, '=') + 1)), ', ')
                 FROM unnest(reloptions) AS o))
       FROM pg_class WHERE oid = $1::regclass AND reloptions IS NOT NULL
     UNION ALL SELECT format('ALTER TABLE %s OWNER TO %s', $2::text, relowner::regrole)
       FROM pg_class WHERE oid = $1::regclass AND relowner <> current_user::regrole
     UNION ALL SELECT format('COMMENT ON TABLE %s IS %L', $2::text, obj_description($1::regclass, 'pg_class'))
      WHERE obj_description($1::regclass, 'pg_class') IS NOT NULL`,
    [target, staging],
  );
  for (const [sql] of statements) await attempt(client, sql ?? '');
  for (const sql of await grantsOf(client, { target, staging })) await attempt(client, sql);
  await copyIdentities(client, { target, staging });
  return shapeDifferences(client, target, staging);
}

/** What this account may not do shows as a difference. */
async function attempt(client: Client, sql: string): Promise<void> {
  await query(client, sql).catch(() => undefined);
}

/** Default privileges may have given the new table more than the old one has. */
async function grantsOf(
  client: Client,
  { target, staging }: SwapTables,
): Promise<readonly string[]> {
  const grantee = (of: string): string =>
    `CASE WHEN ${of}.grantee = 0 THEN 'PUBLIC' ELSE ${of}.grantee::regrole::text END`;
  const rows = await query(
    client,
    `SELECT DISTINCT format('REVOKE ALL ON %s FROM %s', $2::text, ${grantee('x')})
       FROM pg_class c, aclexplode(c.relacl) AS x WHERE c.oid = $2::regclass
     UNION ALL
     SELECT format('REVOKE ALL ON %s FROM %s', $2::text, relowner::regrole)
       FROM pg_class WHERE oid = $1::regclass AND relacl IS NOT NULL`,
    [target, staging],
  );
  const grants = await query(
    client,
    `SELECT format('GRANT %s ON %s TO %s%s', x.privilege_type, $2::text, ${grantee('x')},
              CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
       FROM pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) AS x
      WHERE c.oid = $1::regclass`,
    [target, staging],
  );
  const isSame = rows.length === 0;
  return isSame ? [] : [...rows, ...grants].map(([sql]) => sql ?? '');
}

/** Identity columns count on from where those of the target are, never back. */
async function copyIdentities(client: Client, { target, staging }: SwapTables): Promise<void> {
  const columns = await query(
    client,
    `SELECT pg_get_serial_sequence($1, attname), pg_get_serial_sequence($2, attname) FROM pg_attribute
      WHERE attrelid = $1::regclass AND attidentity <> '' AND NOT attisdropped`,
    [target, staging],
  );
  for (const [from, to] of columns) {
    if (typeof from !== 'string' || typeof to !== 'string') continue;
    await query(
      client,
      `SELECT setval($1::regclass, o.last_value, o.is_called) FROM ${from} AS o, ${to} AS n
        WHERE o.is_called AND (NOT n.is_called OR n.last_value < o.last_value)`,
      [to],
    );
  }
}

/** What stands in the target's place once a swap is over. */
export interface PlannedSwap {
  readonly target: string;
  /** Its name alone, not quoted. */
  readonly table: string;
  readonly staging: StagingTable;
  readonly plan: WritePlan;
}

/** The target may have changed since the plan was made: then its rows are replaced instead. */
export async function swapOrReplace(
  client: Client,
  { target, table, staging, plan }: PlannedSwap,
  { crashPoint, log }: Pick<WriteContext, 'crashPoint' | 'log'>,
): Promise<void> {
  await query(client, `LOCK TABLE ${target} IN ACCESS EXCLUSIVE MODE`);
  await crashPoint('swap:before-rename');
  const differences = await shapeDifferences(client, target, staging.quoted);
  if (differences.length === 0) {
    await swapTables(client, { target, staging: staging.quoted }, table);
  } else {
    log.warn(`The target has changed (${differences.join(', ')}): TRUNCATE and INSERT.`);
    await query(client, `TRUNCATE ${target}`);
    await execute(client, staging.insertInto(target, plan));
  }
  await crashPoint('swap:after-rename');
}

/**
 * Drops the target and gives its name to the staging table, in the open transaction that has locked the
 * target; also the names of its indexes, keys and identity sequences, and the sequences it owns.
 */
async function swapTables(client: Client, tables: SwapTables, targetName: string): Promise<void> {
  const { target, staging } = tables;
  await copyIdentities(client, tables);
  const names = await oldNames(client, tables);
  const owned = await query(
    client,
    `SELECT format('ALTER SEQUENCE %s OWNED BY %s.%I', d.objid::regclass, $2::text, a.attname)
       FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
       JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
      WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
        AND d.refobjid = $1::regclass AND d.deptype = 'a'`,
    [target, staging],
  );
  for (const [sql] of owned) await query(client, sql ?? '');
  await query(client, `DROP TABLE ${target}`);
  await query(client, `ALTER TABLE ${staging} RENAME TO ${quoteName(targetName)}`);
  for (const sql of names) await query(client, sql);
}

/** Statements that give the names on; both sides are in one order, because their definitions are equal. */
async function oldNames(
  client: Client,
  { target, staging }: SwapTables,
): Promise<readonly string[]> {
  const rows = await query(
    client,
    `WITH named AS (
       SELECT k.conrelid AS of, 'c' AS what, k.conname::text AS name,
              row_number() OVER (PARTITION BY k.conrelid ORDER BY pg_get_constraintdef(k.oid), k.conname) AS n
         FROM pg_constraint k WHERE k.conrelid IN ($1::regclass, $2::regclass) AND k.contype NOT IN ('f', 't')
       UNION ALL
       SELECT i.indrelid, 'i', c.relname,
              row_number() OVER (PARTITION BY i.indrelid
                ORDER BY regexp_replace(pg_get_indexdef(i.indexrelid), '^.*? USING ', ''), i.indisprimary)
         FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE i.indrelid IN ($1::regclass, $2::regclass)
          AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.conrelid = i.indrelid)
       UNION ALL
       SELECT d.refobjid, 's', c.relname, row_number() OVER (PARTITION BY d.refobjid ORDER BY d.refobjsubid)
         FROM pg_depend d JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'
        WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'i'
          AND d.refobjid IN ($1::regclass, $2::regclass))
     SELECT o.what, n.name, o.name FROM named o JOIN named n USING (what, n)
      WHERE o.of = $1::regclass AND n.of = $2::regclass AND o.name <> n.name`,
    [target, staging],
  );
  const [schema = ''] = /^"(?:[^"]|"")*"/.exec(target) ?? [];
  return rows.map(([what, from, to]) => {
    const [now, then] = [quoteName(from ?? ''), quoteName(to ?? '')];
    if (what === 'c') return `ALTER TABLE ${target} RENAME CONSTRAINT ${now} TO ${then}`;
    const kind = what === 'i' ? 'INDEX' : 'SEQUENCE';
    return `ALTER ${kind} ${schema}.${now} RENAME TO ${then}`;
  });
}
