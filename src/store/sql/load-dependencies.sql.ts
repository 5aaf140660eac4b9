import type { Sql } from '../database.js';

/** A dependency that a version declares. */
export interface DependencyRow {
  readonly upstream: number;
  readonly downstream: number;
  readonly kind: 'same_cycle' | 'previous_cycle';
  /** Null: what its kind does. */
  readonly inheritsDryRun: boolean | null;
}

type Lists = { readonly [Key in keyof DependencyRow]: readonly DependencyRow[Key][] };

/** As one row of lists: thousands of small rows cost more to take apart than to look up. */
export async function loadDependencies(sql: Sql, versionId: number): Promise<DependencyRow[]> {
  const [lists] = await sql.rows<Lists>(
    `SELECT to_json(array_agg(upstream_node_id)) AS upstream,
            to_json(array_agg(downstream_node_id)) AS downstream,
            to_json(array_agg(kind)) AS kind, to_json(array_agg(inherits_dry_run)) AS "inheritsDryRun"
       FROM (SELECT * FROM edge WHERE version_id = $1
              ORDER BY downstream_node_id, upstream_node_id, kind DESC) e
     HAVING count(*) > 0`,
    [versionId],
  );
  return (lists?.upstream ?? []).map((upstream, at) => ({
    upstream,
    downstream: lists?.downstream[at] ?? 0,
    kind: lists?.kind[at] ?? 'same_cycle',
    inheritsDryRun: lists?.inheritsDryRun[at] ?? null,
  }));
}
