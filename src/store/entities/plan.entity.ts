import { EntitySchema } from 'typeorm';

// Plans, instances and what happens to them; most are partitioned by plan day.

export const RunGroupEntity = new EntitySchema({
  name: 'run_group',
  columns: {
    id: { type: 'bigint', primary: true, generated: true },
    workspace_id: { type: 'bigint' },
    kind: { type: 'text' },
    name: { type: 'text' },
    spec: { type: 'jsonb', default: () => "'{}'::jsonb" },
    plan_day: { type: 'date', nullable: true },
    created_by: { type: 'bigint', nullable: true },
    created_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
  },
});

export const PlanEntity = new EntitySchema({
  name: 'plan',
  columns: {
    workspace_id: { type: 'bigint', primary: true },
    timezone: { type: 'text', primary: true },
    bizdate: { type: 'date', primary: true },
    plan_day: { type: 'date' },
    state: { type: 'text' },
    revision: { type: 'integer', default: () => '1' },
    instances: { type: 'integer', default: () => '0' },
    edges: { type: 'integer', default: () => '0' },
    planned_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
    sealed_at: { type: 'timestamptz', nullable: true },
    checksum: { type: 'text', nullable: true },
    usual_instances: { type: 'integer', nullable: true },
    size_jump: { type: 'text', nullable: true },
  },
});

export const WorkflowInstanceEntity = new EntitySchema({
  name: 'workflow_instance',
  columns: {
    plan_day: { type: 'date', primary: true },
    id: { type: 'bigint', primary: true, default: () => "nextval('instance_id_seq'::regclass)" },
    workspace_id: { type: 'bigint' },
    workflow_id: { type: 'bigint' },
    version_id: { type: 'bigint' },
    run_group_id: { type: 'bigint' },
    bizdate: { type: 'date' },
    created_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
  },
});

export const NodeInstanceEntity = new EntitySchema({
  name: 'node_instance',
  columns: {
    plan_day: { type: 'date', primary: true },
    id: { type: 'bigint', primary: true, default: () => "nextval('instance_id_seq'::regclass)" },
    workspace_id: { type: 'bigint' },
    workflow_id: { type: 'bigint' },
    workflow_instance_id: { type: 'bigint' },
    version_id: { type: 'bigint' },
    node_id: { type: 'bigint' },
    run_group_id: { type: 'bigint' },
    resource_group_id: { type: 'bigint' },
    node_type: { type: 'text' },
    bizdate: { type: 'date' },
    scheduled_at: { type: 'timestamptz' },
    period_no: { type: 'smallint' },
    path: { type: 'text', default: () => "''::text" },
    run_at: { type: 'timestamptz' },
    status: { type: 'text' },
    pending: { type: 'integer', default: () => '0' },
    epoch: { type: 'integer', default: () => '0' },
    run_number: { type: 'smallint', default: () => '1' },
    attempt: { type: 'smallint', default: () => '0' },
    lost_leases: { type: 'smallint', default: () => '0' },
    returned: { type: 'smallint', default: () => '0' },
    runs_planned: { type: 'boolean', default: () => 'false' },
    priority: { type: 'smallint' },
    slots: { type: 'smallint' },
    frozen: { type: 'boolean', default: () => 'false' },
    dry_run: { type: 'boolean', default: () => 'false' },
    reason: { type: 'text', nullable: true },
    dry_run_reason: { type: 'text', nullable: true },
    last_child_day: { type: 'date' },
    first_child_day: { type: 'date', nullable: true },
    in_backfill: { type: 'boolean', default: () => 'false' },
    created_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
    upstream_done_at: { type: 'timestamptz', nullable: true },
    ready_at: { type: 'timestamptz', nullable: true },
    dispatched_at: { type: 'timestamptz', nullable: true },
    started_at: { type: 'timestamptz', nullable: true },
    ended_at: { type: 'timestamptz', nullable: true },
  },
});

export const NodeInstanceDetailEntity = new EntitySchema({
  name: 'node_instance_detail',
  columns: {
    plan_day: { type: 'date', primary: true },
    instance_id: { type: 'bigint', primary: true },
    parameters: { type: 'jsonb' },
    channel: { type: 'jsonb', nullable: true },
  },
});

export const InstanceEdgeEntity = new EntitySchema({
  name: 'instance_edge',
  columns: {
    plan_day: { type: 'date', primary: true },
    downstream_id: { type: 'bigint', primary: true },
    upstream_plan_day: { type: 'date' },
    upstream_id: { type: 'bigint', primary: true },
    kind: { type: 'text' },
    outcome: { type: 'text', default: () => "'open'::text" },
    removed: { type: 'boolean', default: () => 'false' },
    inherits_dry_run: { type: 'boolean', nullable: true },
    forced: { type: 'boolean', default: () => 'false' },
  },
});

export const AwaitedEdgeEntity = new EntitySchema({
  name: 'awaited_edge',
  columns: {
    plan_day: { type: 'date' },
    downstream_id: { type: 'bigint', primary: true },
    run_group_id: { type: 'bigint' },
    upstream_node_id: { type: 'bigint', primary: true },
    scheduled_at: { type: 'timestamptz', primary: true },
    workspace_id: { type: 'bigint' },
    upstream_workflow_id: { type: 'bigint' },
    upstream_timezone: { type: 'text' },
    upstream_bizdate: { type: 'date' },
    kind: { type: 'text' },
    inherits_dry_run: { type: 'boolean', nullable: true },
    forced: { type: 'boolean', default: () => 'false' },
  },
});

export const ReadyInstanceEntity = new EntitySchema({
  name: 'ready_instance',
  columns: {
    resource_group_id: { type: 'bigint' },
    rank: { type: 'bigint' },
    plan_day: { type: 'date' },
    instance_id: { type: 'bigint', primary: true },
    node_id: { type: 'bigint' },
    scheduled_at: { type: 'timestamptz' },
    path: { type: 'text' },
    node_type: { type: 'text' },
    slots: { type: 'smallint' },
    backfill_id: { type: 'bigint', default: () => '0' },
    ready_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
    gate_id: { type: 'bigint', default: () => '0' },
    labels: { type: 'text', default: () => "''::text" },
  },
});

export const DueInstanceEntity = new EntitySchema({
  name: 'due_instance',
  columns: {
    plan_day: { type: 'date' },
    instance_id: { type: 'bigint', primary: true },
    due_at: { type: 'timestamptz' },
  },
});

export const RunningAttemptEntity = new EntitySchema({
  name: 'running_attempt',
  columns: {
    plan_day: { type: 'date' },
    instance_id: { type: 'bigint', primary: true },
    epoch: { type: 'integer' },
    worker_id: { type: 'bigint' },
    resource_group_id: { type: 'bigint' },
    node_id: { type: 'bigint' },
    scheduled_at: { type: 'timestamptz' },
    path: { type: 'text' },
    slots: { type: 'smallint' },
    claimed_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
    timeout_at: { type: 'timestamptz', nullable: true },
    stop_requested: { type: 'boolean', default: () => 'false' },
    progress: { type: 'jsonb', nullable: true },
    fence: { type: 'bigint', nullable: true },
    backfill_id: { type: 'bigint', default: () => '0' },
    gate_ids: { type: 'bigint', array: true, default: () => "'{}'::bigint[]" },
  },
});

export const GateEntity = new EntitySchema({
  name: 'gate',
  columns: {
    id: { type: 'bigint', primary: true, generated: true },
    scope: { type: 'text' },
    workspace_id: { type: 'bigint', nullable: true },
    node_id: { type: 'bigint', nullable: true },
    workflow_id: { type: 'bigint', nullable: true },
    data_source_id: { type: 'bigint', nullable: true },
    resource_group_id: { type: 'bigint', nullable: true },
    node_type: { type: 'text', nullable: true },
    capacity: { type: 'integer' },
    created_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
  },
});

export const OpenRunEntity = new EntitySchema({
  name: 'open_run',
  columns: {
    instance_id: { type: 'bigint', primary: true },
    node_id: { type: 'bigint' },
    fence: { type: 'bigint' },
  },
});

export const AttemptEntity = new EntitySchema({
  name: 'attempt',
  columns: {
    plan_day: { type: 'date', primary: true },
    instance_id: { type: 'bigint', primary: true },
    epoch: { type: 'integer', primary: true },
    run_number: { type: 'smallint' },
    attempt: { type: 'smallint' },
    fence: { type: 'bigint' },
    worker_id: { type: 'bigint' },
    version_id: { type: 'bigint' },
    state: { type: 'text' },
    claimed_at: { type: 'timestamptz' },
    started_at: { type: 'timestamptz', nullable: true },
    ended_at: { type: 'timestamptz', nullable: true },
    error_code: { type: 'text', nullable: true },
    error_detail: { type: 'text', nullable: true },
    result: { type: 'jsonb', nullable: true },
    inputs: { type: 'jsonb', nullable: true },
    outputs: { type: 'jsonb', nullable: true },
  },
});

export const NodeLastEntity = new EntitySchema({
  name: 'node_last',
  columns: {
    node_id: { type: 'bigint', primary: true },
    scheduled_at: { type: 'timestamptz' },
    plan_day: { type: 'date' },
    instance_id: { type: 'bigint' },
    status: { type: 'text' },
  },
});

export const RemovedDayEntity = new EntitySchema({
  name: 'removed_day',
  columns: {
    plan_day: { type: 'date', primary: true },
    removed_at: { type: 'timestamptz' },
  },
});

export const PartitionRecordEntity = new EntitySchema({
  name: 'partition_record',
  columns: {
    workspace_id: { type: 'bigint', primary: true },
    data_source: { type: 'text', primary: true },
    table_name: { type: 'text', primary: true },
    partition: { type: 'text', primary: true },
    node_id: { type: 'bigint', primary: true },
    plan_day: { type: 'date' },
    instance_id: { type: 'bigint' },
    bizdate: { type: 'date' },
    scheduled_at: { type: 'timestamptz' },
    rows: { type: 'bigint', nullable: true },
    written_at: { type: 'timestamptz' },
  },
});

export const BackfillEntity = new EntitySchema({
  name: 'backfill',
  columns: {
    run_group_id: { type: 'bigint', primary: true },
    workspace_id: { type: 'bigint' },
    plan_day: { type: 'date' },
    state: { type: 'text' },
    parallelism: { type: 'smallint' },
    timezone: { type: 'text' },
    window_from: { type: 'text', nullable: true },
    window_to: { type: 'text', nullable: true },
    ended_at: { type: 'timestamptz', nullable: true },
    making: { type: 'jsonb', nullable: true },
    error_code: { type: 'text', nullable: true },
    error_detail: { type: 'text', nullable: true },
    paused_at: { type: 'timestamptz', nullable: true },
    version_ids: { type: 'bigint', array: true },
  },
});

export const BackfillDateEntity = new EntitySchema({
  name: 'backfill_date',
  columns: {
    run_group_id: { type: 'bigint', primary: true },
    no: { type: 'integer', primary: true },
    bizdate: { type: 'date' },
    workflow_instance_ids: { type: 'bigint', array: true, nullable: true },
    instances: { type: 'integer' },
    state: { type: 'text' },
    opened_at: { type: 'timestamptz', nullable: true },
    ended_at: { type: 'timestamptz', nullable: true },
    wanted: { type: 'jsonb', nullable: true },
  },
});
