import { EntitySchema } from 'typeorm';

// Workspaces, people, and what proves who they are.

export const InstallationEntity = new EntitySchema({
  name: 'installation',
  columns: {
    id: { type: 'uuid', primary: true },
    created_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
  },
});

export const WorkspaceEntity = new EntitySchema({
  name: 'workspace',
  columns: {
    id: { type: 'bigint', primary: true, generated: true },
    name: { type: 'text' },
    display_name: { type: 'text', default: () => "''::text" },
    timezone: { type: 'text' },
    created_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
  },
});

export const AppUserEntity = new EntitySchema({
  name: 'app_user',
  columns: {
    id: { type: 'bigint', primary: true, generated: true },
    name: { type: 'text' },
    display_name: { type: 'text', default: () => "''::text" },
    created_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
  },
});

export const MemberEntity = new EntitySchema({
  name: 'member',
  columns: {
    workspace_id: { type: 'bigint', primary: true },
    user_id: { type: 'bigint', primary: true },
    role: { type: 'text' },
  },
});

export const LoginLinkEntity = new EntitySchema({
  name: 'login_link',
  columns: {
    token_hash: { type: 'bytea', primary: true },
    user_id: { type: 'bigint' },
    expires_at: { type: 'timestamptz' },
    used_at: { type: 'timestamptz', nullable: true },
  },
});

export const UserSessionEntity = new EntitySchema({
  name: 'user_session',
  columns: {
    token_hash: { type: 'bytea', primary: true },
    user_id: { type: 'bigint' },
    csrf_hash: { type: 'bytea' },
    created_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
    expires_at: { type: 'timestamptz' },
  },
});

export const ApiTokenEntity = new EntitySchema({
  name: 'api_token',
  columns: {
    id: { type: 'bigint', primary: true, generated: true },
    token_hash: { type: 'bytea' },
    user_id: { type: 'bigint' },
    name: { type: 'text' },
    created_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
    expires_at: { type: 'timestamptz', nullable: true },
    last_used_at: { type: 'timestamptz', nullable: true },
    revoked_at: { type: 'timestamptz', nullable: true },
  },
});

export const UserPreferenceEntity = new EntitySchema({
  name: 'user_preference',
  columns: {
    user_id: { type: 'bigint', primary: true },
    key: { type: 'text', primary: true },
    value: { type: 'jsonb' },
    updated_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
  },
});

export const IdempotencyKeyEntity = new EntitySchema({
  name: 'idempotency_key',
  columns: {
    user_id: { type: 'bigint', primary: true },
    key: { type: 'text', primary: true },
    route: { type: 'text' },
    body_hash: { type: 'bytea' },
    status: { type: 'integer', nullable: true },
    answer: { type: 'jsonb', nullable: true },
    created_at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
  },
});

export const AuditEntity = new EntitySchema({
  name: 'audit',
  columns: {
    id: { type: 'bigint', primary: true, generated: true },
    at: { type: 'timestamptz', default: () => 'clock_timestamp()' },
    workspace_id: { type: 'bigint', nullable: true },
    user_id: { type: 'bigint', nullable: true },
    action: { type: 'text' },
    target: { type: 'text' },
    detail: { type: 'jsonb', default: () => "'{}'::jsonb" },
  },
});
