import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Backfills that open their business dates a few at a time, and that take no more than their share of a
 * resource group.
 */
export class Backfill1763700000013 implements MigrationInterface {
  readonly name = 'Backfill1763700000013';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE backfill (
        run_group_id bigint NOT NULL PRIMARY KEY REFERENCES run_group ON DELETE CASCADE,
        workspace_id bigint NOT NULL REFERENCES workspace ON DELETE CASCADE,
        -- Of all its instances.
        plan_day date NOT NULL,
        state text NOT NULL CHECK (state IN ('running', 'paused', 'cancelling', 'cancelled', 'ended')),
        parallelism smallint NOT NULL CHECK (parallelism BETWEEN 1 AND 50),
        -- Wall clock (HH:MM) of this zone between which its instances are handed to workers; null: always.
        timezone text NOT NULL,
        window_from text,
        window_to text,
        ended_at timestamptz,
        CHECK ((window_from IS NULL) = (window_to IS NULL))
      );
      CREATE INDEX ix_backfill_live ON backfill (run_group_id)
        WHERE state IN ('running', 'paused', 'cancelling');
      CREATE TABLE backfill_date (
        run_group_id bigint NOT NULL REFERENCES backfill ON DELETE CASCADE,
        -- Its place in the order, from 0.
        no int NOT NULL,
        bizdate date NOT NULL,
        workflow_instance_id bigint NOT NULL,
        instances int NOT NULL,
        state text NOT NULL CHECK (state IN ('waiting', 'open', 'done', 'skipped', 'cancelled')),
        opened_at timestamptz,
        ended_at timestamptz,
        PRIMARY KEY (run_group_id, no),
        UNIQUE (run_group_id, bizdate)
      );
      CREATE INDEX ix_backfill_date_open ON backfill_date (run_group_id, no) WHERE state = 'open';

      -- A backfill of before had all its dates open at once.
      INSERT INTO backfill (run_group_id, workspace_id, plan_day, state, parallelism, timezone)
      SELECT g.id, g.workspace_id, g.plan_day, 'running', 50, s.timezone
        FROM run_group g JOIN workspace s ON s.id = g.workspace_id
       WHERE g.kind = 'backfill' AND g.plan_day IS NOT NULL;
      INSERT INTO backfill_date (run_group_id, no, bizdate, workflow_instance_id, instances, state, opened_at)
      SELECT r.run_group_id, row_number() OVER (PARTITION BY r.run_group_id ORDER BY r.id) - 1, r.bizdate,
             r.id, (SELECT count(*) FROM node_instance i
                     WHERE i.plan_day = r.plan_day AND i.workflow_instance_id = r.id), 'open', r.created_at
        FROM workflow_instance r JOIN backfill b ON b.run_group_id = r.run_group_id;

      -- Only such an instance is asked whether its date is open: all others are spared the question.
      ALTER TABLE node_instance ADD COLUMN in_backfill boolean NOT NULL DEFAULT false;

      -- 0: of no backfill. In the index before the rank, so that a claim of what was planned never reads
      -- past the rows of backfills that are paused or have their share.
      ALTER TABLE ready_instance ADD COLUMN backfill_id bigint NOT NULL DEFAULT 0;
      DROP INDEX ix_ready_instance_claim;
      CREATE INDEX ix_ready_instance_claim
        ON ready_instance (resource_group_id, backfill_id, rank, instance_id);
      ALTER TABLE running_attempt ADD COLUMN backfill_id bigint NOT NULL DEFAULT 0;

      -- Percent of its slots that backfills may use, and always one instance.
      ALTER TABLE resource_group ADD COLUMN backfill_share smallint NOT NULL DEFAULT 50
        CHECK (backfill_share BETWEEN 1 AND 100);
    `);
  }

  async down(): Promise<void> {
    throw new Error('Migrations run forward only: restore a backup instead.');
  }
}
