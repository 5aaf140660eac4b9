import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Backfills of nodes of several workflows. */
export class BackfillWorkflows1763700000035 implements MigrationInterface {
  readonly name = 'BackfillWorkflows1763700000035';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- What it is made from, that of the workflow that was asked for first.
      ALTER TABLE backfill ADD COLUMN version_ids bigint[] NOT NULL DEFAULT '{}';
      UPDATE backfill b SET version_ids = array_remove(ARRAY[coalesce(
               (b.making #>> '{version,versionId}')::bigint,
               (SELECT r.version_id FROM workflow_instance r
                 WHERE r.plan_day = b.plan_day AND r.run_group_id = b.run_group_id LIMIT 1))], NULL);
      ALTER TABLE backfill ALTER COLUMN version_ids DROP DEFAULT;
      -- The names by which requests know the workflows, in the same order. Of a digest was the order in which
      -- edges were read, which is another one now: their dates are compared by the number of instances.
      UPDATE backfill b SET making = b.making - 'version' - 'digest' || jsonb_build_object('names', jsonb_build_array(
               (SELECT w.name FROM workflow w WHERE w.id = (b.making #>> '{version,workflowId}')::bigint)))
       WHERE b.making IS NOT NULL;
      -- A date has an instance of each of its workflows; null: they are not made yet.
      DROP INDEX ix_backfill_date_unmade;
      ALTER TABLE backfill_date ALTER COLUMN workflow_instance_id TYPE bigint[]
        USING CASE WHEN workflow_instance_id IS NOT NULL THEN ARRAY[workflow_instance_id] END;
      ALTER TABLE backfill_date RENAME COLUMN workflow_instance_id TO workflow_instance_ids;
      CREATE INDEX ix_backfill_date_unmade ON backfill_date (run_group_id, no)
        WHERE workflow_instance_ids IS NULL;
    `);
  }

  async down(): Promise<void> {
    throw new Error('Migrations run forward only: restore a backup instead.');
  }
}
