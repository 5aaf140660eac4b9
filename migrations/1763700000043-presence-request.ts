import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A worker may be asked which partitions are there at a data source. */
export class PresenceRequest1763700000043 implements MigrationInterface {
  readonly name = 'PresenceRequest1763700000043';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE request DROP CONSTRAINT request_kind_check;
      ALTER TABLE request ADD CONSTRAINT request_kind_check
        CHECK (kind IN ('connectivity', 'browse', 'replay', 'preview', 'presence'));
    `);
  }

  async down(): Promise<void> {
    throw new Error('Migrations run forward only: restore a backup instead.');
  }
}
