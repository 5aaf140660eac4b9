import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How fast a data source may be used, who has which share of that now, and what was set for one instance. */
export class RateLimit1763700000031 implements MigrationInterface {
  readonly name = 'RateLimit1763700000031';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE rate_limit (
        data_source_id bigint PRIMARY KEY REFERENCES data_source ON DELETE CASCADE,
        -- { bytesPerSecond, rowsPerSecond, windows: [{ from, to, bytesPerSecond, rowsPerSecond }] }
        body jsonb NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      -- Rewritten once a second while a sync runs: narrow, half empty pages, no index but the key (HOT).
      CREATE TABLE rate_share (
        data_source_id bigint NOT NULL REFERENCES rate_limit ON DELETE CASCADE,
        instance_id bigint NOT NULL,
        -- What it would use. Null: all it can get.
        want_bytes float8,
        want_rows float8,
        -- What it may use until lease_until. Null: no limit of this kind.
        bytes float8,
        rows float8,
        lease_until timestamptz NOT NULL,
        PRIMARY KEY (data_source_id, instance_id)
      ) WITH (fillfactor = 50);
      -- { rateLimit, dirtyLimit } in place of what the node says; null for nearly all.
      ALTER TABLE node_instance_detail ADD COLUMN channel jsonb;
    `);
  }

  async down(): Promise<void> {
    throw new Error('Migrations run forward only: restore a backup instead.');
  }
}
