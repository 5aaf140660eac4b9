import { EntitySchema } from 'typeorm';

// Resource groups and their workers, secrets, data sources and interactive requests.

export const ResourceGroupEntity = new EntitySchema({
  name: 'resource_group',
  columns: {
    id: { type: 'bigint', primary: true, generated: true },
    name: { type: 'text' },
    slots: { type: 'integer' },
    region: { type: 'text', default: () => "''::text" },
    network_type: { type: 'text', default: () => "''::text" },
    cidr: { type: 'text', default: () => "''::text" },
    backfill_share: { type: 'smallint', default: () => '50' },
    description: { type: 'text', default: () => "''::text" },
    draining: { type: 'boolean', default: () => 'false' },
    gated: { type: 'boolean', default: () => 'false' },
    created_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
  },
});

export const WorkerTokenEntity = new EntitySchema({
  name: 'worker_token',
  columns: {
    id: { type: 'bigint', primary: true, generated: true },
    token_hash: { type: 'bytea' },
    resource_group_id: { type: 'bigint' },
    name: { type: 'text' },
    created_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
    revoked_at: { type: 'timestamptz', nullable: true },
  },
});

export const WorkerEntity = new EntitySchema({
  name: 'worker',
  columns: {
    id: { type: 'bigint', primary: true, generated: true },
    resource_group_id: { type: 'bigint' },
    name: { type: 'text' },
    protocol: { type: 'integer' },
    capacity: { type: 'integer' },
    node_types: { type: 'text', array: true },
    data_source_types: { type: 'text', array: true },
    plugins: { type: 'jsonb' },
    addresses: { type: 'text', array: true },
    started_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
    ended_at: { type: 'timestamptz', nullable: true },
    draining: { type: 'boolean', default: () => 'false' },
    labels: { type: 'text', array: true, default: () => "'{}'::text[]" },
  },
});

export const WorkerLeaseEntity = new EntitySchema({
  name: 'worker_lease',
  columns: {
    worker_id: { type: 'bigint', primary: true },
    lease_until: { type: 'timestamptz' },
  },
});

export const SecretKeyEntity = new EntitySchema({
  name: 'secret_key',
  columns: {
    key_id: { type: 'text', primary: true },
    proof: { type: 'bytea' },
    created_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
    retired_at: { type: 'timestamptz', nullable: true },
  },
});

export const SecretEntity = new EntitySchema({
  name: 'secret',
  columns: {
    id: { type: 'bigint', primary: true, generated: true },
    key_id: { type: 'text' },
    wrapped_key: { type: 'bytea' },
    ciphertext: { type: 'bytea' },
  },
});

export const DataSourceEntity = new EntitySchema({
  name: 'data_source',
  columns: {
    id: { type: 'bigint', primary: true, generated: true },
    workspace_id: { type: 'bigint' },
    name: { type: 'text' },
    type: { type: 'text' },
    environment: { type: 'text', default: () => "'production'::text" },
    description: { type: 'text', default: () => "''::text" },
    config: { type: 'jsonb' },
    config_version: { type: 'integer' },
    secret_id: { type: 'bigint' },
    test_status: { type: 'text', default: () => "'untested'::text" },
    test_report: { type: 'jsonb', nullable: true },
    tested_at: { type: 'timestamptz', nullable: true },
    region: { type: 'text', default: () => "''::text" },
    network_type: { type: 'text', default: () => "''::text" },
    cidr: { type: 'text', default: () => "''::text" },
    revision: { type: 'integer', default: () => '1' },
    created_by: { type: 'bigint', nullable: true },
    created_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
    updated_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
  },
});

export const RateLimitEntity = new EntitySchema({
  name: 'rate_limit',
  columns: {
    data_source_id: { type: 'bigint', primary: true },
    body: { type: 'jsonb' },
    updated_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
  },
});

export const RateShareEntity = new EntitySchema({
  name: 'rate_share',
  columns: {
    data_source_id: { type: 'bigint', primary: true },
    instance_id: { type: 'bigint', primary: true },
    want_bytes: { type: 'double precision', nullable: true },
    want_rows: { type: 'double precision', nullable: true },
    bytes: { type: 'double precision', nullable: true },
    rows: { type: 'double precision', nullable: true },
    lease_until: { type: 'timestamptz' },
  },
});

export const RequestEntity = new EntitySchema({
  name: 'request',
  columns: {
    id: { type: 'uuid', primary: true, default: () => 'gen_random_uuid()' },
    workspace_id: { type: 'bigint' },
    resource_group_id: { type: 'bigint' },
    kind: { type: 'text' },
    plugin_type: { type: 'text' },
    secret_id: { type: 'bigint', nullable: true },
    state: { type: 'text', default: () => "'waiting'::text" },
    worker_id: { type: 'bigint', nullable: true },
    created_by: { type: 'bigint', nullable: true },
    created_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
    deadline: { type: 'timestamptz' },
  },
});

export const RequestAnswerEntity = new EntitySchema({
  name: 'request_answer',
  columns: {
    request_id: { type: 'uuid', primary: true },
    no: { type: 'integer', primary: true },
    body: { type: 'jsonb' },
    last: { type: 'boolean', default: () => 'false' },
  },
});
