import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A node whose type does nothing on a worker takes no slot: it ends as soon as its turn comes. */
export class ZeroLoad1763700000010 implements MigrationInterface {
  readonly name = 'ZeroLoad1763700000010';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE node_version DROP CONSTRAINT node_version_slots_check;
      ALTER TABLE node_version ADD CONSTRAINT node_version_slots_check CHECK (slots BETWEEN 0 AND 1000);
    `);
  }

  async down(): Promise<void> {
    throw new Error('Migrations run forward only: restore a backup instead.');
  }
}
