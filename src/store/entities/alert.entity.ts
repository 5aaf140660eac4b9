import { EntitySchema } from 'typeorm';

// Alert rules, what they have found, and the messages about it.

export const AlertRuleEntity = new EntitySchema({
  name: 'alert_rule',
  columns: {
    id: { type: 'bigint', primary: true, generated: true },
    workspace_id: { type: 'bigint' },
    name: { type: 'text' },
    enabled: { type: 'boolean' },
    condition: { type: 'text' },
    run_kinds: { type: 'text', array: true },
    due_minute: { type: 'integer', nullable: true },
    absent_minutes: { type: 'integer', nullable: true },
    target: { type: 'text' },
    resource_group_id: { type: 'bigint', nullable: true },
    webhook_origin: { type: 'text', nullable: true },
    secret_id: { type: 'bigint', nullable: true },
    emails: { type: 'text', array: true },
    owner: { type: 'text' },
    mute_from: { type: 'text', nullable: true },
    mute_to: { type: 'text', nullable: true },
    repeat_minutes: { type: 'integer', nullable: true },
    max_count: { type: 'integer' },
    from_seq: { type: 'bigint' },
    messaged_at: { type: 'timestamptz', nullable: true },
    revision: { type: 'integer', default: () => '1' },
    created_by: { type: 'bigint', nullable: true },
    created_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
    updated_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
  },
});

export const AlertRuleTargetEntity = new EntitySchema({
  name: 'alert_rule_target',
  columns: {
    rule_id: { type: 'bigint', primary: true },
    no: { type: 'integer', primary: true },
    workflow_id: { type: 'bigint' },
    node_id: { type: 'bigint', nullable: true },
  },
});

export const AlertEntity = new EntitySchema({
  name: 'alert',
  columns: {
    id: { type: 'bigint', primary: true, generated: true },
    workspace_id: { type: 'bigint' },
    rule_id: { type: 'bigint' },
    subject: { type: 'text' },
    state: { type: 'text', default: () => "'open'::text" },
    workflow_id: { type: 'bigint', nullable: true },
    node_id: { type: 'bigint', nullable: true },
    resource_group_id: { type: 'bigint', nullable: true },
    timezone: { type: 'text', nullable: true },
    bizdate: { type: 'date', nullable: true },
    plan_day: { type: 'date', nullable: true },
    instance_id: { type: 'bigint', nullable: true },
    run_number: { type: 'integer', nullable: true },
    error_code: { type: 'text', nullable: true },
    instances: { type: 'integer', nullable: true },
    run_group_id: { type: 'bigint', nullable: true },
    since: { type: 'timestamptz', nullable: true },
    first_at: { type: 'timestamptz' },
    last_at: { type: 'timestamptz' },
    count: { type: 'integer', default: () => '0' },
    next_at: { type: 'timestamptz', nullable: true },
    muted_until: { type: 'timestamptz', nullable: true },
    closed_at: { type: 'timestamptz', nullable: true },
    closed_by: { type: 'bigint', nullable: true },
  },
});

export const AlertDeliveryEntity = new EntitySchema({
  name: 'alert_delivery',
  columns: {
    id: { type: 'bigint', primary: true, generated: true },
    rule_id: { type: 'bigint' },
    channel: { type: 'text' },
    alert_ids: { type: 'bigint', array: true },
    message: { type: 'jsonb' },
    status: { type: 'text', default: () => "'waiting'::text" },
    attempts: { type: 'integer', default: () => '0' },
    next_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
    attempted_at: { type: 'timestamptz', nullable: true },
    answer: { type: 'text', nullable: true },
    error_code: { type: 'text', nullable: true },
    error_detail: { type: 'text', nullable: true },
    created_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
  },
});

export const AlertDeadlineEntity = new EntitySchema({
  name: 'alert_deadline',
  columns: {
    rule_id: { type: 'bigint', primary: true },
    timezone: { type: 'text', primary: true },
    bizdate: { type: 'date', primary: true },
  },
});

export const AlertCursorEntity = new EntitySchema({
  name: 'alert_cursor',
  columns: {
    single: { type: 'boolean', primary: true, default: () => 'true' },
    seq: { type: 'bigint' },
    plan_day: { type: 'date' },
  },
});
