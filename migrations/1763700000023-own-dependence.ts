import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Dependence of a node on its own previous cycle and on that of its children. */
export class OwnDependence1763700000023 implements MigrationInterface {
  readonly name = 'OwnDependence1763700000023';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- Whether a dry run of a skipped branch goes on to the node's own next cycle; null: as for every edge of
      -- another cycle, it does not.
      ALTER TABLE node_version ADD COLUMN self_inherits_dry_run boolean;
      -- Tells edges that childDependence has made from those that somebody has written.
      ALTER TABLE edge ADD COLUMN of_children boolean NOT NULL DEFAULT false;
    `);
  }

  async down(): Promise<void> {
    throw new Error('Migrations run forward only: restore a backup instead.');
  }
}
