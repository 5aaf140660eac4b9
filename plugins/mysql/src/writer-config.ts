import { z } from 'zod';

export const WRITER_MODES = ['append', 'truncate', 'partition-overwrite'] as const;

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

export const writerSchema = z.object({
  table: z.string().min(1).meta({ title: 'Table' }),
  mode: z.enum(WRITER_MODES).default('append').meta({ title: 'Mode' }),
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
});

export type WriterConfig = z.output<typeof writerSchema>;
