import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Run logs move from rows to objects once their attempt has ended (engine rule 21). The row stays as the
 * index of the object: where the chunk lies in it, and how many lines it has.
 */
export class LogStore1763700000006 implements MigrationInterface {
  readonly name = 'LogStore1763700000006';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE log_chunk
        ALTER COLUMN body DROP NOT NULL,
        ADD COLUMN object_offset bigint,
        ADD COLUMN object_length int,
        ADD CONSTRAINT log_chunk_place CHECK ((body IS NULL) = (object_offset IS NOT NULL)
          AND (object_offset IS NULL) = (object_length IS NULL));
      CREATE INDEX ix_log_chunk_row ON log_chunk (instance_id, epoch) WHERE no = 0 AND body IS NOT NULL;
    `);
  }

  async down(): Promise<void> {
    throw new Error('Migrations run forward only: restore a backup instead.');
  }
}
