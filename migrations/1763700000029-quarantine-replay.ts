import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Quarantined rows can be mended and brought into the target after all. */
export class QuarantineReplay1763700000029 implements MigrationInterface {
  readonly name = 'QuarantineReplay1763700000029';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE dirty_record
        -- Names of the cells, in their order: the target's columns.
        ADD COLUMN columns jsonb,
        ADD COLUMN stage text NOT NULL DEFAULT 'target' CHECK (stage IN ('mapping', 'target')),
        ADD COLUMN edited_at timestamptz,
        -- Set while a replay is under way: whoever finds it set goes on with exactly these rows.
        ADD COLUMN replay_no bigint,
        ADD COLUMN replayed_at timestamptz;
      CREATE SEQUENCE replay_no;
      ALTER TABLE request DROP CONSTRAINT request_kind_check;
      ALTER TABLE request ADD CONSTRAINT request_kind_check
        CHECK (kind IN ('connectivity', 'browse', 'replay'));
    `);
  }

  async down(): Promise<void> {
    throw new Error('Migrations run forward only: restore a backup instead.');
  }
}
