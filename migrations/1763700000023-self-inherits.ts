import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whether a dry run of a skipped branch goes on to the node's own next cycle. */
export class SelfInherits1763700000023 implements MigrationInterface {
  readonly name = 'SelfInherits1763700000023';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- Null: as for every edge of another cycle, it does not.
      ALTER TABLE node_version ADD COLUMN self_inherits_dry_run boolean;
    `);
  }

  async down(): Promise<void> {
    throw new Error('Migrations run forward only: restore a backup instead.');
  }
}
