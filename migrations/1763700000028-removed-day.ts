import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Plan days whose instances are gone (engine rule 13): who asks for one is told so, and none is rerun. */
export class RemovedDay1763700000028 implements MigrationInterface {
  readonly name = 'RemovedDay1763700000028';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE removed_day (
        plan_day date NOT NULL PRIMARY KEY,
        removed_at timestamptz NOT NULL DEFAULT clock_timestamp()
      );
    `);
  }

  async down(): Promise<void> {
    throw new Error('Migrations run forward only: restore a backup instead.');
  }
}
