import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What a run must not forget between two attempts. `open_run`: runs that have had an attempt, have none now and are not over: they wait for a retry or for another
 * worker. With the attempts that are held they say up to which fence the ledger of a node may be cleared
 * (engine rule 25). A run whose first attempt ends it never has a row there.
 */
export class OpenRun1763700000007 implements MigrationInterface {
  readonly name = 'OpenRun1763700000007';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- Null only in rows of a process of the last release: nothing is cleared while there is one.
      ALTER TABLE running_attempt ADD COLUMN fence bigint;
      UPDATE running_attempt r SET fence = a.fence FROM attempt a
       WHERE a.plan_day = r.plan_day AND a.instance_id = r.instance_id AND a.epoch = r.epoch;

      CREATE TABLE open_run (
        instance_id bigint NOT NULL PRIMARY KEY,
        node_id bigint NOT NULL,
        -- Of the first attempt of the run that had one.
        fence bigint NOT NULL
      );
      CREATE INDEX ix_open_run_node ON open_run (node_id, fence);
      INSERT INTO open_run (instance_id, node_id, fence)
      SELECT i.id, i.node_id, min(a.fence) FROM node_instance i
        JOIN attempt a ON a.plan_day = i.plan_day AND a.instance_id = i.id
         AND a.run_number = i.run_number
       WHERE i.status NOT IN ('succeeded', 'failed', 'cancelled')
       GROUP BY i.id, i.node_id;

      ALTER TABLE node_instance
        -- Attempts that were given back keep their number, and use up no retry.
        ADD COLUMN returned smallint NOT NULL DEFAULT 0,
        -- Why it was planned as a dry run: being skipped for a while must not make that forgotten.
        ADD COLUMN dry_run_reason text;
      UPDATE node_instance SET dry_run_reason = reason WHERE dry_run AND reason <> 'skipped';
    `);
  }

  async down(): Promise<void> {
    throw new Error('Migrations run forward only: restore a backup instead.');
  }
}
