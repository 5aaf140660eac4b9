import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A quarantined row says which key it has and what kind of fault it is, whichever system has refused it. */
export class DirtyClass1763700000041 implements MigrationInterface {
  readonly name = 'DirtyClass1763700000041';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE dirty_record
        -- The columns of the target's primary key that are mapped.
        ADD COLUMN key jsonb,
        -- NULL: of an older worker.
        ADD COLUMN class text;
    `);
  }

  async down(): Promise<void> {
    throw new Error('Migrations run forward only: restore a backup instead.');
  }
}
