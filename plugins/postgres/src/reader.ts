import type { JobContext } from '@millrace/sdk';
import { defineReader } from '@millrace/sdk';
import { z } from 'zod';
import type { PostgresSource } from './config.js';
import { PostgresReaderJob } from './reader-job.js';

const readerSchema = z
  .strictObject({
    schema: z.string().min(1).optional().meta({ title: 'Schema' }),
    table: z.string().min(1).optional().meta({ title: 'Table' }),
    query: z.string().min(1).optional().meta({ title: 'Query', template: true }),
    columns: z.array(z.string().min(1)).min(1).optional().meta({ title: 'Columns' }),
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

export type PostgresReaderConfig = z.output<typeof readerSchema>;

export const postgresReader = defineReader<PostgresReaderConfig, PostgresSource>({
  type: 'postgres',
  title: 'PostgreSQL',
  config: readerSchema,
  configVersion: 1,
  examples: [
    { table: 'orders', where: "ds = '${bizdate}'", sliceKey: 'id' },
    { query: 'SELECT id, total FROM orders JOIN customers USING (customer_id)' },
  ],
  open: async (config, ctx: JobContext<PostgresSource>) =>
    Promise.resolve(new PostgresReaderJob(config, ctx)),
});
