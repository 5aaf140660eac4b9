import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a sealed plan was made of, and whether its size was to be expected. */
export class PlanChecksum1763700000017 implements MigrationInterface {
  readonly name = 'PlanChecksum1763700000017';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE plan
        -- Of a sealed plan that was made to its end; null also for those sealed before there was one.
        ADD COLUMN checksum text,
        -- The median of the plans before it when it was made; null: there were too few.
        ADD COLUMN usual_instances int,
        ADD COLUMN size_jump text CHECK (size_jump IN ('grown', 'shrunk'));
      ALTER TABLE alert_rule DROP CONSTRAINT alert_rule_condition_check;
      ALTER TABLE alert_rule ADD CONSTRAINT alert_rule_condition_check
        CHECK (condition IN ('failed', 'unfinished', 'plan_missing', 'plan_jump', 'no_worker'));
    `);
  }

  async down(): Promise<void> {
    throw new Error('Migrations run forward only: restore a backup instead.');
  }
}
