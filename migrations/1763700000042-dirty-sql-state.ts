import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A quarantined row says the SQLSTATE of its refusal, and no slice where none is known. */
export class DirtySqlState1763700000042 implements MigrationInterface {
  readonly name = 'DirtySqlState1763700000042';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE dirty_record
        -- NULL: the target refused it once the rows of all slices had come together.
        ALTER COLUMN slice_no DROP NOT NULL,
        -- NULL: no server has refused it, or of an older worker.
        ADD COLUMN sql_state text;
    `);
  }

  async down(): Promise<void> {
    throw new Error('Migrations run forward only: restore a backup instead.');
  }
}
