import { isMergeMode, MERGE_MODES } from '@millrace/sdk';
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

export const writerSchema = z
  .object({
    table: z.string().min(1).meta({ title: 'Table' }),
    mode: z.enum(WRITER_MODES).default('append').meta({ title: 'Mode' }),
    key: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe(
        'upsert, ignore, update, delete-insert: columns of a unique key to compare rows by. Default: the primary key.',
      )
      .meta({ title: 'Key' }),
    replace: replaceSchema
      .optional()
      .describe('What a run deletes, in the transaction that writes its rows.'),
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
  .refine((c) => c.key === undefined || isMergeMode(c.mode), {
    message: 'only upsert, ignore, update and delete-insert compare by a key',
    path: ['key'],
  })
  .refine((c) => c.replace === undefined || !isMergeMode(c.mode), {
    message: 'a mode that compares by a key replaces no scope',
    path: ['replace'],
  });

export type WriterConfig = z.output<typeof writerSchema>;
