import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A node's schedule takes from its workflow what it does not say. Before, it stood alone: what is stored is
 * given the words for that, or previews of versions would show other cycles than are planned of them. Without
 * times a draft's node is left to its workflow, whose times it was meant to have.
 */
export class NodeSchedule1763700000033 implements MigrationInterface {
  readonly name = 'NodeSchedule1763700000033';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE FUNCTION pg_temp.alone(spec jsonb, times jsonb) RETURNS jsonb LANGUAGE sql AS $$
        SELECT jsonb_set(spec, '{nodes}', (
          SELECT jsonb_agg(
                   CASE WHEN jsonb_typeof(n -> 'schedule') = 'object'
                        THEN jsonb_set(n, '{schedule}',
                               coalesce((SELECT jsonb_object_agg(k, NULL)
                                           FROM jsonb_object_keys(spec -> 'schedule') k
                                          WHERE k IN ('effectiveFrom', 'effectiveTo', 'calendar')), '{}')
                               || CASE WHEN n -> 'schedule' ?| ARRAY['cron', 'period'] THEN '{}' ELSE times END
                               || (n -> 'schedule'))
                        ELSE n END ORDER BY no)
            FROM jsonb_array_elements(spec -> 'nodes') WITH ORDINALITY AS e(n, no)))
      $$;
      UPDATE workflow_version SET spec = pg_temp.alone(spec, '{"cron": "0 0 * * *"}')
       WHERE jsonb_path_exists(spec, '$.nodes[*].schedule');
      UPDATE workflow SET draft = pg_temp.alone(draft, '{}'), revision = revision + 1
       WHERE jsonb_typeof(draft -> 'schedule') = 'object' AND jsonb_typeof(draft -> 'nodes') = 'array'
         AND jsonb_path_exists(draft, '$.nodes[*].schedule');
      DROP FUNCTION pg_temp.alone;
    `);
  }

  async down(): Promise<void> {
    throw new Error('Migrations run forward only: restore a backup instead.');
  }
}
