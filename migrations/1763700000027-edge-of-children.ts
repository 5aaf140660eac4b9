import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Tells edges that `childDependence` has made from those that somebody has written. */
export class EdgeOfChildren1763700000027 implements MigrationInterface {
  readonly name = 'EdgeOfChildren1763700000027';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE edge ADD COLUMN of_children boolean NOT NULL DEFAULT false;`);
  }

  async down(): Promise<void> {
    throw new Error('Migrations run forward only: restore a backup instead.');
  }
}
