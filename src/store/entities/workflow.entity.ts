import { EntitySchema } from 'typeorm';

// What users write: workflows, their versions, nodes and edges.

export const WorkflowEntity = new EntitySchema({
  name: 'workflow',
  columns: {
    id: { type: 'bigint', primary: true, generated: true },
    workspace_id: { type: 'bigint' },
    name: { type: 'text' },
    description: { type: 'text', default: () => "''::text" },
    draft: { type: 'jsonb' },
    revision: { type: 'integer', default: () => '1' },
    scheduled: { type: 'boolean', default: () => 'true' },
    created_by: { type: 'bigint', nullable: true },
    created_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
    updated_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
  },
});

export const WorkflowVersionEntity = new EntitySchema({
  name: 'workflow_version',
  columns: {
    id: { type: 'bigint', primary: true, generated: true },
    workflow_id: { type: 'bigint' },
    version: { type: 'integer' },
    spec: { type: 'jsonb' },
    timezone: { type: 'text' },
    first_bizdate: { type: 'date' },
    submitted_by: { type: 'bigint', nullable: true },
    submitted_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
    comment: { type: 'text', default: () => "''::text" },
  },
});

export const NodeEntity = new EntitySchema({
  name: 'node',
  columns: {
    id: { type: 'bigint', primary: true, generated: true },
    workflow_id: { type: 'bigint' },
    name: { type: 'text' },
    frozen: { type: 'boolean', default: () => 'false' },
  },
});

export const NodeVersionEntity = new EntitySchema({
  name: 'node_version',
  columns: {
    version_id: { type: 'bigint', primary: true },
    node_id: { type: 'bigint', primary: true },
    type: { type: 'text' },
    config: { type: 'jsonb' },
    config_version: { type: 'integer' },
    parameters: { type: 'jsonb' },
    cron: { type: 'text', nullable: true },
    period: { type: 'jsonb', nullable: true },
    effective_from: { type: 'date', nullable: true },
    effective_to: { type: 'date', nullable: true },
    calendar: { type: 'text', nullable: true },
    dst_policy: { type: 'text' },
    self_dependence: { type: 'boolean' },
    self_inherits_dry_run: { type: 'boolean', nullable: true },
    schedule_type: { type: 'text' },
    rerun_mode: { type: 'text' },
    priority: { type: 'smallint' },
    resource_group_id: { type: 'bigint' },
    slots: { type: 'smallint' },
    retry_max: { type: 'smallint' },
    retry_interval_ms: { type: 'integer' },
    retry_factor: { type: 'double precision', default: () => '1' },
    retry_cap_ms: { type: 'integer', default: () => '1800000' },
    timeout_ms: { type: 'bigint' },
    data_sources: { type: 'text', array: true },
    labels: { type: 'text', array: true, default: () => "'{}'::text[]" },
    named_outputs: { type: 'jsonb', default: () => "'[]'::jsonb" },
    inputs: { type: 'jsonb', default: () => "'[]'::jsonb" },
    scheduling_group_id: { type: 'bigint', nullable: true },
    backfill: { type: 'text', default: () => "'allowed'::text" },
  },
});

export const EdgeEntity = new EntitySchema({
  name: 'edge',
  columns: {
    version_id: { type: 'bigint', primary: true },
    upstream_node_id: { type: 'bigint', primary: true },
    downstream_node_id: { type: 'bigint', primary: true },
    kind: { type: 'text', primary: true, default: () => "'same_cycle'::text" },
    inherits_dry_run: { type: 'boolean', nullable: true },
    of_children: { type: 'boolean', default: false },
  },
});

export const NodeOutputEntity = new EntitySchema({
  name: 'node_output',
  columns: {
    version_id: { type: 'bigint', primary: true },
    node_id: { type: 'bigint', primary: true },
    no: { type: 'smallint', primary: true },
    data_source: { type: 'text' },
    table_name: { type: 'text' },
    partition_expression: { type: 'text' },
  },
});

export const BusinessCalendarEntity = new EntitySchema({
  name: 'business_calendar',
  columns: {
    id: { type: 'bigint', primary: true, generated: true },
    workspace_id: { type: 'bigint' },
    name: { type: 'text' },
    description: { type: 'text', default: () => "''::text" },
    work_weekdays: { type: 'text', array: true },
    revision: { type: 'integer', default: () => '1' },
    created_by: { type: 'bigint', nullable: true },
    created_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
    updated_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
  },
});

export const BusinessCalendarDayEntity = new EntitySchema({
  name: 'business_calendar_day',
  columns: {
    calendar_id: { type: 'bigint', primary: true },
    day: { type: 'date', primary: true },
    is_work_day: { type: 'boolean' },
  },
});

export const WorkspaceParameterEntity = new EntitySchema({
  name: 'workspace_parameter',
  columns: {
    workspace_id: { type: 'bigint', primary: true },
    name: { type: 'text', primary: true },
    expression: { type: 'text' },
    updated_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
  },
});
