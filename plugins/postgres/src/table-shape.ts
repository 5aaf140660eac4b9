import type { Client } from 'pg';
import { query } from './session.js';

/**
 * What a table is besides its name and its rows, part by part, as texts that are equal for tables that are
 * alike. Names of indexes, keys and identity sequences are left out: a swap gives them on. Of the options of a
 * column those that users set count: Debian's 15.20 adds one of its own, another for each table.
 */
const SHAPE = `WITH t AS (SELECT c.oid AS id, c.* FROM pg_class c WHERE c.oid = $1::regclass)
  SELECT 'owner', relowner::regrole::text FROM t
  UNION ALL SELECT 'kind of table',
    concat_ws(' ', relkind, relpersistence, relam, relispartition, relreplident, relrowsecurity, relforcerowsecurity) FROM t
  UNION ALL SELECT 'storage parameters',
    concat_ws(' ', reloptions::text, reltablespace, (SELECT o.reloptions::text FROM pg_class o WHERE o.oid = t.reltoastrelid)) FROM t
  UNION ALL SELECT 'grants', (SELECT string_agg(a::text, ',' ORDER BY a::text)
      FROM unnest(coalesce(relacl, acldefault('r', relowner))) AS a) FROM t
  UNION ALL SELECT 'comment', obj_description(id, 'pg_class') FROM t
  UNION ALL SELECT 'columns', (SELECT json_agg(json_build_array(a.attname, format_type(a.atttypid, a.atttypmod),
        a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated, a.attcollation, a.attstorage,
        to_jsonb(a) -> 'attcompression', a.attstattarget,
        (SELECT array_agg(o ORDER BY o) FROM unnest(a.attoptions) AS o WHERE o LIKE 'n\\_distinct%'), a.attacl::text[], col_description(id, a.attnum))
        ORDER BY a.attnum)::text
      FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attrelid = id AND a.attnum > 0 AND NOT a.attisdropped) FROM t
  UNION ALL SELECT 'constraints', (SELECT string_agg(concat_ws(' ', CASE WHEN k.contype = 'c' THEN k.conname END,
        pg_get_constraintdef(k.oid), k.condeferrable, k.condeferred, k.convalidated, obj_description(k.oid, 'pg_constraint')),
        E'\\n' ORDER BY pg_get_constraintdef(k.oid), k.conname)
      FROM pg_constraint k WHERE k.conrelid = id AND k.contype NOT IN ('f', 't')) FROM t
  UNION ALL SELECT 'foreign keys', (SELECT string_agg(k.conname, ', ' ORDER BY k.conname)
      FROM pg_constraint k WHERE k.conrelid = id AND k.contype = 'f') FROM t
  UNION ALL SELECT 'indexes', (SELECT string_agg(concat_ws(' ', i.indisunique, i.indisprimary, i.indisclustered,
        i.indisreplident, i.indisvalid, regexp_replace(pg_get_indexdef(i.indexrelid), '^.*? USING ', ''), x.reltablespace,
        obj_description(i.indexrelid, 'pg_class')), E'\\n'
        ORDER BY regexp_replace(pg_get_indexdef(i.indexrelid), '^.*? USING ', ''), i.indisprimary)
      FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = id) FROM t
  UNION ALL SELECT 'identity', (SELECT string_agg(concat_ws(' ', s.seqtypid, s.seqstart, s.seqincrement, s.seqmax,
        s.seqmin, s.seqcache, s.seqcycle, c.relacl::text), ',' ORDER BY d.refobjsubid)
      FROM pg_depend d JOIN pg_sequence s ON s.seqrelid = d.objid JOIN pg_class c ON c.oid = d.objid
     WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = id AND d.deptype = 'i') FROM t
  UNION ALL SELECT 'triggers', (SELECT string_agg(g.tgname, ', ' ORDER BY g.tgname)
      FROM pg_trigger g WHERE g.tgrelid = id AND NOT g.tgisinternal) FROM t
  UNION ALL SELECT 'row security', (SELECT string_agg(p.polname, ', ' ORDER BY p.polname) FROM pg_policy p WHERE p.polrelid = id) FROM t
  UNION ALL SELECT 'statistics objects', (SELECT string_agg(e.stxname, ', ' ORDER BY e.stxname)
      FROM pg_statistic_ext e WHERE e.stxrelid = id) FROM t
  UNION ALL SELECT 'publications', (SELECT string_agg(b.pubname, ', ' ORDER BY b.pubname)
      FROM pg_publication_rel r JOIN pg_publication b ON b.oid = r.prpubid WHERE r.prrelid = id) FROM t
  UNION ALL SELECT 'inheritance', (SELECT string_agg(h.inhparent || ' ' || h.inhrelid, ',')
      FROM pg_inherits h WHERE id IN (h.inhparent, h.inhrelid)) FROM t
  UNION ALL SELECT 'security labels', (SELECT string_agg(l.label, ',') FROM pg_seclabel l WHERE l.objoid = id) FROM t
  UNION ALL SELECT 'dependents', (SELECT string_agg(DISTINCT pg_describe_object(d.classid, d.objid, 0), ', ')
      FROM pg_depend d
     WHERE d.deptype = 'n' AND d.classid NOT IN ('pg_attrdef'::regclass, 'pg_constraint'::regclass)
       AND ((d.refclassid = 'pg_class'::regclass AND d.refobjid = id)
         OR (d.refclassid = 'pg_type'::regclass
             AND d.refobjid IN (SELECT unnest(ARRAY[y.oid, y.typarray]) FROM pg_type y WHERE y.oid = reltype)))) FROM t
  UNION ALL SELECT 'tables that refer to it', (SELECT string_agg(DISTINCT k.conrelid::regclass::text, ', ')
      FROM pg_constraint k WHERE k.confrelid = id AND k.conrelid <> id) FROM t`;

/** Parts whose text a user understands; the others are only named. */
const TOLD: readonly string[] = [
  'foreign keys',
  'triggers',
  'row security',
  'statistics objects',
  'publications',
  'dependents',
  'tables that refer to it',
];

/** In what `target` differs from `copy`, e.g. `dependents (view v)`; empty when one can stand for the other. */
export async function shapeDifferences(
  client: Client,
  target: string,
  copy: string,
): Promise<readonly string[]> {
  const wanted = await query(client, SHAPE, [target]);
  const has = new Map((await query(client, SHAPE, [copy])).map(([part, text]) => [part, text]));
  return wanted.flatMap(([part, text]) => {
    if (part === null || part === undefined || has.get(part) === text) return [];
    return [TOLD.includes(part) && typeof text === 'string' ? `${part} (${text})` : part];
  });
}

/** The other tables whose foreign keys lead to this one. */
export async function referringTables(client: Client, target: string): Promise<readonly string[]> {
  const rows = await query(
    client,
    `SELECT DISTINCT conrelid::regclass::text FROM pg_constraint
      WHERE confrelid = $1::regclass AND conrelid <> confrelid AND contype = 'f' ORDER BY 1`,
    [target],
  );
  return rows.map(([name]) => name ?? '');
}
