import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Alerts about backfills that have paused themselves. */
export class BackfillAlert1763700000025 implements MigrationInterface {
  readonly name = 'BackfillAlert1763700000025';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE alert_rule DROP CONSTRAINT alert_rule_condition_check;
      ALTER TABLE alert_rule ADD CONSTRAINT alert_rule_condition_check
        CHECK (condition IN ('failed', 'unfinished', 'plan_missing', 'plan_jump', 'backfill_paused',
                             'no_worker'));
      -- The backfill that it is about.
      ALTER TABLE alert ADD COLUMN run_group_id bigint;
      -- When it paused itself: each time is another alert.
      ALTER TABLE backfill ADD COLUMN paused_at timestamptz;
      UPDATE backfill SET paused_at = clock_timestamp() WHERE state = 'paused' AND error_code IS NOT NULL;
    `);
  }

  async down(): Promise<void> {
    throw new Error('Migrations run forward only: restore a backup instead.');
  }
}
