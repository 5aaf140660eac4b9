import type { JobContext } from '@millrace/sdk';
import { defineReader } from '@millrace/sdk';
import type { PostgresSource } from './config.js';
import type { PostgresReaderConfig } from './reader-config.js';
import { postgresReaderSchema } from './reader-config.js';
import { PostgresReaderJob } from './reader-job.js';

export const postgresReader = defineReader<PostgresReaderConfig, PostgresSource>({
  type: 'postgres',
  title: 'PostgreSQL',
  config: postgresReaderSchema,
  configVersion: 1,
  examples: [
    { table: 'orders', where: "ds = '${bizdate}'", sliceKey: 'id' },
    { tables: ['orders_[0-31]'], sliceKey: ['customer_id', 'id'] },
    { query: 'SELECT id, total FROM orders JOIN customers USING (customer_id)' },
  ],
  open: async (config, ctx: JobContext<PostgresSource>) =>
    Promise.resolve(new PostgresReaderJob(config, ctx)),
});
