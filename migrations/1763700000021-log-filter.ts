import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A filter of what the chunks of a long run log may hold, so that a search can leave most of them out. */
export class LogFilter1763700000021 implements MigrationInterface {
  readonly name = 'LogFilter1763700000021';

  async up(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE log_chunk ADD COLUMN grams bytea');
  }

  async down(): Promise<void> {
    throw new Error('Migrations run forward only: restore a backup instead.');
  }
}
