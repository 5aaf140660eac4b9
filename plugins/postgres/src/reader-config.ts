import { z } from 'zod';

export const postgresReaderSchema = z
  .strictObject({
    schema: z.string().min(1).optional().meta({ title: 'Schema' }),
    table: z.string().min(1).optional().meta({ title: 'Table' }),
    tables: z.array(z.string().min(1)).min(1).optional().meta({
      title: 'Tables',
      description:
        'Several tables of the same columns, read one after another: orders_[0-31] or shop_[0-3].orders',
    }),
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
      .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
      .optional()
      .meta({
        title: 'Split key',
        description:
          'Columns to cut the table by. Default: the place of the rows in the table, else its primary key',
      }),
    snapshot: z.enum(['preferred', 'required']).optional().meta({
      title: 'Snapshot',
      description:
        'Where channels cannot share one: preferred (default) reads without it and says so, required reads over one channel',
    }),
  })
  .refine((c) => [c.table, c.tables, c.query].filter((each) => each !== undefined).length === 1, {
    message: 'give one of table, tables and query',
    path: ['table'],
  });

export type PostgresReaderConfig = z.output<typeof postgresReaderSchema>;
