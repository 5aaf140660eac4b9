import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Lines of a source that are no rows are quarantined as they stand there, and a sync has a preview. */
export class BrokenLine1763700000040 implements MigrationInterface {
  readonly name = 'BrokenLine1763700000040';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE dirty_record
        -- {place, base64}: where it stands in the source, and its bytes.
        ADD COLUMN original jsonb,
        DROP CONSTRAINT dirty_record_stage_check,
        ADD CONSTRAINT dirty_record_stage_check CHECK (stage IN ('source', 'mapping', 'target'));
      ALTER TABLE request DROP CONSTRAINT request_kind_check;
      ALTER TABLE request ADD CONSTRAINT request_kind_check
        CHECK (kind IN ('connectivity', 'browse', 'replay', 'preview'));
    `);
  }

  async down(): Promise<void> {
    throw new Error('Migrations run forward only: restore a backup instead.');
  }
}
