import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A rerun may run what the instance was planned with instead of the latest version. */
export class PlannedCode1763700000027 implements MigrationInterface {
  readonly name = 'PlannedCode1763700000027';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- The present run takes code and configuration of the planned version.
      ALTER TABLE node_instance ADD COLUMN runs_planned boolean NOT NULL DEFAULT false;
    `);
  }

  async down(): Promise<void> {
    throw new Error('Migrations run forward only: restore a backup instead.');
  }
}
