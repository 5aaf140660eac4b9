import { MERGE_MODES, isMergeMode } from '@millrace/sdk';
import { z } from 'zod';

export const WRITER_MODES = [
  'append',
  'truncate',
  'replace-swap',
  'partition-overwrite',
  ...MERGE_MODES,
] as const;

const replaceSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('partition'),
    values: z
      .record(z.string().min(1), z.string().meta({ template: true }))
      .refine((v) => Object.keys(v).length > 0, { message: 'name at least one column' })
      .meta({ title: 'Columns and values of the partition' }),
  }),
  z.strictObject({
    kind: z.literal('predicate'),
    sql: z.string().min(1).meta({ title: 'Condition (SQL)', template: true }),
  }),
  z.strictObject({ kind: z.literal('table') }),
]);

export const postgresWriterSchema = z
  .strictObject({
    schema: z.string().min(1).optional().meta({ title: 'Schema' }),
    table: z.string().min(1).meta({ title: 'Table' }),
    mode: z.enum(WRITER_MODES).default('append').meta({
      title: 'Write mode',
      description:
        'append adds; truncate replaces all rows; replace-swap replaces the table by a full one; partition-overwrite replaces what `replace` names; upsert, ignore, update and delete-insert compare by a unique key. Each in one transaction.',
    }),
    key: z.array(z.string().min(1)).min(1).optional().meta({
      title: 'Key',
      description: 'Columns of a unique key to compare rows by. Default: the primary key.',
    }),
    replace: replaceSchema.optional().meta({ title: 'What a run replaces' }),
    preSql: z.string().optional().meta({ title: 'SQL before', template: true }),
    postSql: z.string().optional().meta({ title: 'SQL after', template: true }),
    ledger: z
      .strictObject({ schema: z.string().min(1).optional(), table: z.string().min(1).optional() })
      .optional()
      .meta({ title: 'Ledger table' }),
  })
  .refine((c) => (c.mode === 'partition-overwrite') === (c.replace !== undefined), {
    message: 'partition-overwrite needs `replace`, and no other mode takes it',
    path: ['replace'],
  })
  .refine((c) => c.key === undefined || isMergeMode(c.mode), {
    message: 'only upsert, ignore, update and delete-insert compare by a key',
    path: ['key'],
  });

export type PostgresWriterConfig = z.output<typeof postgresWriterSchema>;
