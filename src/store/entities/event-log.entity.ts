import { EntitySchema } from 'typeorm';

// Events, run logs and quarantined rows.

export const EventOutboxEntity = new EntitySchema({
  name: 'event_outbox',
  columns: {
    id: { type: 'bigint', primary: true, generated: true },
    workspace_id: { type: 'bigint' },
    type: { type: 'text' },
    at: { type: 'timestamptz' },
    plan_day: { type: 'date', nullable: true },
    instance_id: { type: 'bigint', nullable: true },
    payload: { type: 'json' },
    events: { type: 'integer', default: 1 },
  },
});

export const EventCounterEntity = new EntitySchema({
  name: 'event_counter',
  columns: {
    single: { type: 'boolean', primary: true, default: () => 'true' },
    seq: { type: 'bigint' },
  },
});

export const EventEntity = new EntitySchema({
  name: 'event',
  columns: {
    plan_day: { type: 'date', primary: true },
    seq: { type: 'bigint', primary: true },
    workspace_id: { type: 'bigint' },
    type: { type: 'text' },
    at: { type: 'timestamptz' },
    instance_plan_day: { type: 'date', nullable: true },
    instance_id: { type: 'bigint', nullable: true },
    payload: { type: 'jsonb' },
  },
});

export const LogChunkEntity = new EntitySchema({
  name: 'log_chunk',
  columns: {
    plan_day: { type: 'date', primary: true },
    instance_id: { type: 'bigint', primary: true },
    epoch: { type: 'integer', primary: true },
    no: { type: 'integer', primary: true },
    at: { type: 'timestamptz' },
    line_count: { type: 'integer' },
    byte_count: { type: 'integer' },
    body: { type: 'bytea', nullable: true },
    grams: { type: 'bytea', nullable: true },
    object_offset: { type: 'bigint', nullable: true },
    object_length: { type: 'integer', nullable: true },
  },
});

export const DirtyRecordEntity = new EntitySchema({
  name: 'dirty_record',
  columns: {
    plan_day: { type: 'date', primary: true },
    instance_id: { type: 'bigint', primary: true },
    epoch: { type: 'integer', primary: true },
    no: { type: 'integer', primary: true },
    slice_no: { type: 'integer', nullable: true },
    column_name: { type: 'text', nullable: true },
    code: { type: 'text' },
    sql_state: { type: 'text', nullable: true },
    reason: { type: 'text' },
    cells: { type: 'jsonb' },
    columns: { type: 'jsonb', nullable: true },
    stage: { type: 'text', default: 'target' },
    original: { type: 'jsonb', nullable: true },
    key: { type: 'jsonb', nullable: true },
    class: { type: 'text', nullable: true },
    edited_at: { type: 'timestamptz', nullable: true },
    replay_no: { type: 'bigint', nullable: true },
    replayed_at: { type: 'timestamptz', nullable: true },
  },
});
