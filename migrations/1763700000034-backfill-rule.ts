import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A node may forbid backfills to run it. */
export class BackfillRule1763700000034 implements MigrationInterface {
  readonly name = 'BackfillRule1763700000034';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE node_version ADD COLUMN backfill text NOT NULL DEFAULT 'allowed'
        CHECK (backfill IN ('allowed', 'forbidden'));
    `);
  }

  async down(): Promise<void> {
    throw new Error('Migrations run forward only: restore a backup instead.');
  }
}
