import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What people do to nodes and edges by hand, and retries that wait longer each time. */
export class Surgery1763700000014 implements MigrationInterface {
  readonly name = 'Surgery1763700000014';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE node ADD COLUMN frozen boolean NOT NULL DEFAULT false;
      -- Removed for one run by a forced rerun; the next rerun waits for it again.
      ALTER TABLE instance_edge ADD COLUMN forced boolean NOT NULL DEFAULT false;
      -- An upstream that is planned later makes a removed edge of it.
      ALTER TABLE awaited_edge ADD COLUMN forced boolean NOT NULL DEFAULT false;
      ALTER TABLE node_version
        ADD COLUMN retry_factor double precision NOT NULL DEFAULT 1
          CHECK (retry_factor BETWEEN 1 AND 10),
        ADD COLUMN retry_cap_ms int NOT NULL DEFAULT 1800000;
    `);
  }

  async down(): Promise<void> {
    throw new Error('Migrations run forward only: restore a backup instead.');
  }
}
