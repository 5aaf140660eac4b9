import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Values that nodes hand to their downstreams. */
export class NamedOutput1763700000018 implements MigrationInterface {
  readonly name = 'NamedOutput1763700000018';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE node_version
        -- [{ name, value }] or [{ name, from }]: what its runs leave for downstreams.
        ADD COLUMN named_outputs jsonb NOT NULL DEFAULT '[]',
        -- [{ name, nodeId, output, cycle, pattern, default }]: what it takes from upstreams.
        ADD COLUMN inputs jsonb NOT NULL DEFAULT '[]';
      -- Null for nearly all: what the attempt was given of upstreams, and what it has produced.
      ALTER TABLE attempt ADD COLUMN inputs jsonb, ADD COLUMN outputs jsonb;
    `);
  }

  async down(): Promise<void> {
    throw new Error('Migrations run forward only: restore a backup instead.');
  }
}
