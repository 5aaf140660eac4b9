import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Dependencies on previous cycles and on nodes of other workflows. */
export class Dependency1763700000012 implements MigrationInterface {
  readonly name = 'Dependency1763700000012';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- Null: what its kind does; of the same cycle it inherits, of the previous one it does not.
      ALTER TABLE edge ADD COLUMN inherits_dry_run boolean;
      ALTER TABLE edge DROP CONSTRAINT edge_kind_check;
      ALTER TABLE edge ADD CONSTRAINT edge_kind_check CHECK (kind IN ('same_cycle', 'previous_cycle'));
      -- A node may need both cycles of one upstream.
      ALTER TABLE edge DROP CONSTRAINT edge_pkey;
      ALTER TABLE edge ADD PRIMARY KEY (version_id, downstream_node_id, upstream_node_id, kind);
      CREATE INDEX ix_edge_upstream ON edge (upstream_node_id);

      ALTER TABLE instance_edge ADD COLUMN inherits_dry_run boolean;
      ALTER TABLE instance_edge DROP CONSTRAINT instance_edge_kind_check;
      ALTER TABLE instance_edge ADD CONSTRAINT instance_edge_kind_check
        CHECK (kind IN ('same_cycle', 'self_previous', 'previous_cycle'));
      -- The smallest plan day of a downstream that was planned before this one; null: none was.
      ALTER TABLE node_instance ADD COLUMN first_child_day date;

      -- An edge whose upstream has no row yet: its day is planned later. It counts in pending as an open
      -- edge does and becomes one in the transaction that plans the upstream.
      CREATE TABLE awaited_edge (
        plan_day date NOT NULL,
        downstream_id bigint NOT NULL,
        run_group_id bigint NOT NULL,
        upstream_node_id bigint NOT NULL,
        scheduled_at timestamptz NOT NULL,
        workspace_id bigint NOT NULL,
        upstream_workflow_id bigint NOT NULL,
        upstream_timezone text NOT NULL,
        upstream_bizdate date NOT NULL,
        kind text NOT NULL CHECK (kind IN ('same_cycle', 'previous_cycle')),
        inherits_dry_run boolean,
        PRIMARY KEY (downstream_id, upstream_node_id, scheduled_at)
      );
      CREATE INDEX ix_awaited_edge_upstream ON awaited_edge (upstream_workflow_id, upstream_bizdate);
    `);
  }

  async down(): Promise<void> {
    throw new Error('Migrations run forward only: restore a backup instead.');
  }
}
