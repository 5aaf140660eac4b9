import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A node may hold a slot in a second resource group, which schedules it. The scheduling slots of a group are
 * a gate: it is locked after the groups and counted over attempts, as every gate is.
 */
export class SchedulingGroup1763700000026 implements MigrationInterface {
  readonly name = 'SchedulingGroup1763700000026';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE node_version ADD COLUMN scheduling_group_id bigint REFERENCES resource_group;
      CREATE INDEX ix_workflow_version_submitted ON workflow_version (submitted_at);
      ALTER TABLE gate
        DROP CONSTRAINT gate_scope_check,
        DROP CONSTRAINT gate_check3,
        DROP CONSTRAINT gate_check4;
      ALTER TABLE gate
        ADD CONSTRAINT gate_scope_check
          CHECK (scope IN ('node', 'workflow', 'data_source', 'node_type', 'scheduling')),
        ADD CONSTRAINT gate_group_check
          CHECK ((scope IN ('node_type', 'scheduling')) = (resource_group_id IS NOT NULL)),
        ADD CONSTRAINT gate_node_type_check CHECK ((scope = 'node_type') = (node_type IS NOT NULL)),
        ADD CONSTRAINT gate_workspace_check
          CHECK ((scope IN ('node_type', 'scheduling')) = (workspace_id IS NULL));
      CREATE UNIQUE INDEX uq_gate_scheduling ON gate (resource_group_id) WHERE scope = 'scheduling';
    `);
  }

  async down(): Promise<void> {
    throw new Error('Migrations run forward only: restore a backup instead.');
  }
}
