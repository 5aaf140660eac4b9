import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Backfills whose business dates get their instances one after another, after they were accepted. */
export class MakingBackfill1763700000022 implements MigrationInterface {
  readonly name = 'MakingBackfill1763700000022';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE backfill
        -- What its dates are made from, frozen when it was accepted; null: all are made.
        ADD COLUMN making jsonb,
        -- Why it was paused while it was made.
        ADD COLUMN error_code text,
        ADD COLUMN error_detail text;
      -- Null: its instances are not made yet.
      ALTER TABLE backfill_date ALTER COLUMN workflow_instance_id DROP NOT NULL;
      -- The cycles that were asked for, where the past decided it; null: all within the scope and hours.
      ALTER TABLE backfill_date ADD COLUMN wanted jsonb;
      CREATE INDEX ix_backfill_date_unmade ON backfill_date (run_group_id, no)
        WHERE workflow_instance_id IS NULL;
    `);
  }

  async down(): Promise<void> {
    throw new Error('Migrations run forward only: restore a backup instead.');
  }
}
