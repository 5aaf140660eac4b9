import { z } from 'zod';

export const postgresReaderSchema = z
  .strictObject({
    schema: z.string().min(1).optional().meta({ title: 'Schema' }),
    table: z.string().min(1).optional().meta({ title: 'Table' }),
    query: z.string().min(1).optional().meta({ title: 'Query', template: true }),
    columns: z.array(z.string().min(1)).min(1).optional().meta({ title: 'Columns' }),
    expressions: z
      .array(
        z.strictObject({
          name: z.string().min(1),
          sql: z.string().min(1).meta({ template: true }),
        }),
      )
      .min(1)
      .optional()
      .meta({
        title: 'Expressions',
        description: 'More columns, computed by the server: their names and their SQL.',
      }),
    where: z.string().optional().meta({ title: 'Filter (SQL)', template: true }),
    sliceKey: z
      .string()
      .min(1)
      .optional()
      .meta({ title: 'Split key', description: 'An integer column; its range is read in slices' }),
  })
  .refine((c) => (c.table === undefined) !== (c.query === undefined), {
    message: 'give either table or query',
    path: ['table'],
  });

export type PostgresReaderConfig = z.output<typeof postgresReaderSchema>;
