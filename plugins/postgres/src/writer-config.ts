import { MERGE_MODES, takesKey } from '@millrace/sdk';
import type { VersionSettings } from '@millrace/sdk';
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

const versionsSchema = z.strictObject({
  from: z
    .string()
    .min(1)
    .default('valid_from')
    .meta({ title: 'Valid from', description: 'Column: since when a version holds.' }),
  to: z
    .string()
    .min(1)
    .default('valid_to')
    .meta({ title: 'Valid to', description: 'Column: until when it held, itself excluded.' }),
  current: z
    .string()
    .min(1)
    .optional()
    .meta({ title: 'Current', description: 'Column: whether it is the one that holds.' }),
  open: z.string().min(1).optional().meta({
    title: 'End of what holds',
    description:
      'What the column of the end has while a version holds, e.g. 9999-12-31. Default: NULL.',
  }),
  at: z.string().min(1).optional().meta({
    title: 'Time of the run',
    description:
      'When its rows began to hold. Default: the scheduled time in UTC, or the business date where the column is a date.',
    template: true,
  }),
  missing: z.enum(['keep', 'close']).default('keep').meta({
    title: 'Keys that are missing',
    description:
      'close: what a run did not bring holds no longer; it has to read the whole source then.',
  }),
});

export const postgresWriterSchema = z
  .strictObject({
    schema: z.string().min(1).optional().meta({ title: 'Schema' }),
    table: z.string().min(1).meta({ title: 'Table' }),
    mode: z.enum(WRITER_MODES).default('append').meta({
      title: 'Write mode',
      description:
        'append adds; truncate replaces all rows; replace-swap replaces the table by a full one; partition-overwrite replaces what `replace` names; upsert, ignore, update and delete-insert compare by a unique key; insert-replace-row takes the place of every row with the same value in any unique key; scd2 keeps the versions of each row. Each in one transaction.',
    }),
    key: z.array(z.string().min(1)).min(1).optional().meta({
      title: 'Key',
      description:
        'Columns of a unique key to compare rows by. Default: the primary key. Of scd2: the columns that tell one row from another; they have to be named.',
    }),
    versions: versionsSchema.optional().meta({ title: 'Versions of a row (scd2)' }),
    replace: replaceSchema.optional().meta({ title: 'What a run replaces' }),
    createTable: z.string().min(1).optional().meta({
      title: 'Create a missing table',
      description:
        '`auto`: with a statement made of the source and the mapping, as a preview shows it. Or the CREATE TABLE statement itself. Nothing happens to a table that is there.',
      template: true,
    }),
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
  .refine((c) => c.key === undefined || takesKey(c.mode), {
    message: 'only upsert, ignore, update, delete-insert and scd2 compare by a key',
    path: ['key'],
  })
  .refine((c) => c.mode !== 'scd2' || c.key !== undefined, {
    message: 'scd2 needs the columns that tell one row from another',
    path: ['key'],
  })
  .refine((c) => c.versions === undefined || c.mode === 'scd2', {
    message: 'only scd2 keeps versions',
    path: ['versions'],
  });

export type PostgresWriterConfig = z.output<typeof postgresWriterSchema>;

/** `undefined`: this mode keeps none. */
export function versionSettings({
  mode,
  versions,
}: PostgresWriterConfig): VersionSettings | undefined {
  return mode === 'scd2' ? versionsSchema.parse(versions ?? {}) : undefined;
}
