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
  z.object({
    kind: z.literal('partition'),
    values: z
      .record(z.string(), z.string().meta({ template: true }))
      .describe("Rows whose columns equal these values, e.g. { ds: '${bizdate}' }."),
  }),
  z.object({ kind: z.literal('predicate'), sql: z.string().min(1).meta({ template: true }) }),
  z.object({ kind: z.literal('table') }),
]);

const versionsSchema = z.object({
  from: z
    .string()
    .min(1)
    .default('valid_from')
    .describe('Column: since when a version holds.')
    .meta({ title: 'Valid from' }),
  to: z
    .string()
    .min(1)
    .default('valid_to')
    .describe('Column: until when it held, itself excluded.')
    .meta({ title: 'Valid to' }),
  current: z
    .string()
    .min(1)
    .optional()
    .describe('Column: whether it is the one that holds.')
    .meta({ title: 'Current' }),
  open: z
    .string()
    .min(1)
    .optional()
    .describe(
      'What the column of the end has while a version holds, e.g. 9999-12-31. Default: NULL.',
    )
    .meta({ title: 'End of what holds' }),
  at: z
    .string()
    .min(1)
    .optional()
    .describe(
      'When its rows began to hold. Default: the scheduled time in UTC, or the business date where the column is a date.',
    )
    .meta({ title: 'Time of the run', template: true }),
  missing: z
    .enum(['keep', 'close'])
    .default('keep')
    .describe(
      'close: what a run did not bring holds no longer; it has to read the whole source then.',
    )
    .meta({ title: 'Keys that are missing' }),
});

export const writerSchema = z
  .object({
    table: z.string().min(1).meta({ title: 'Table' }),
    mode: z
      .enum(WRITER_MODES)
      .default('append')
      .describe(
        'append adds; truncate replaces all rows; replace-swap replaces the table by a full one; partition-overwrite replaces what `replace` names; upsert, ignore, update and delete-insert compare by a unique key; insert-replace-row takes the place of every row with the same value in any unique key; scd2 keeps the versions of each row. Each in one transaction.',
      )
      .meta({ title: 'Write mode' }),
    key: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe(
        'Columns of a unique key to compare rows by. Default: the primary key. Of scd2: the columns that tell one row from another; they have to be named.',
      )
      .meta({ title: 'Key' }),
    versions: versionsSchema.optional().meta({ title: 'Versions of a row (scd2)' }),
    replace: replaceSchema
      .optional()
      .describe('What a run deletes, in the transaction that writes its rows.'),
    createTable: z
      .string()
      .min(1)
      .optional()
      .describe(
        '`auto`: with a statement made of the source and the mapping, as a preview shows it. Or the CREATE TABLE statement itself. Nothing happens to a table that is there.',
      )
      .meta({ title: 'Create a missing table', template: true }),
    preSql: z
      .string()
      .optional()
      .describe('Runs before the rows, in their transaction.')
      .meta({ template: true }),
    postSql: z
      .string()
      .optional()
      .describe('Runs after the rows, in their transaction.')
      .meta({ template: true }),
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
  })
  .refine((c) => (c.mode === 'partition-overwrite') === (c.replace !== undefined), {
    message: 'partition-overwrite needs `replace`, and no other mode takes it',
    path: ['replace'],
  });

export type WriterConfig = z.output<typeof writerSchema>;

/** `undefined`: this mode keeps none. */
export function versionSettings({ mode, versions }: WriterConfig): VersionSettings | undefined {
  return mode === 'scd2' ? versionsSchema.parse(versions ?? {}) : undefined;
}
