import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Events, run logs and quarantined rows. */
export class EventLog1763700000005 implements MigrationInterface {
  readonly name = 'EventLog1763700000005';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      -- Transactions write here; one publisher at a time moves rows on and numbers them after their
      -- commit, so that a reader who has seen n has seen everything below n (engine rule 22).
      CREATE TABLE event_outbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        workspace_id bigint NOT NULL,
        type text NOT NULL,
        at timestamptz NOT NULL,
        plan_day date,
        instance_id bigint,
        payload jsonb NOT NULL
      );
      CREATE TABLE event_counter (single boolean PRIMARY KEY DEFAULT true CHECK (single), seq bigint NOT NULL);
      INSERT INTO event_counter (seq) VALUES (0);
      CREATE TABLE event (
        plan_day date NOT NULL,
        seq bigint NOT NULL,
        workspace_id bigint NOT NULL,
        type text NOT NULL,
        at timestamptz NOT NULL,
        instance_plan_day date,
        instance_id bigint,
        payload jsonb NOT NULL,
        PRIMARY KEY (plan_day, seq)
      ) PARTITION BY RANGE (plan_day);
      CREATE INDEX ix_event_seq ON event (seq);
      CREATE INDEX ix_event_instance ON event (instance_id) WHERE instance_id IS NOT NULL;

      CREATE TABLE log_chunk (
        plan_day date NOT NULL,
        instance_id bigint NOT NULL,
        epoch int NOT NULL,
        no int NOT NULL,
        at timestamptz NOT NULL,
        -- Of the uncompressed text.
        line_count int NOT NULL,
        byte_count int NOT NULL,
        body bytea NOT NULL,
        PRIMARY KEY (plan_day, instance_id, epoch, no)
      ) PARTITION BY RANGE (plan_day);

      CREATE TABLE dirty_record (
        plan_day date NOT NULL,
        instance_id bigint NOT NULL,
        epoch int NOT NULL,
        no int NOT NULL,
        slice_no int NOT NULL,
        column_name text,
        code text NOT NULL,
        reason text NOT NULL,
        cells jsonb NOT NULL,
        PRIMARY KEY (plan_day, instance_id, epoch, no)
      ) PARTITION BY RANGE (plan_day);
    `);
  }

  async down(): Promise<void> {
    throw new Error('Migrations run forward only: restore a backup instead.');
  }
}
