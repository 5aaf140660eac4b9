import { defineReader } from '@millrace/sdk';
import { z } from 'zod';

import type { MysqlConfig } from './config.js';
import { MysqlReaderJob } from './reader-job.js';

const readerSchema = z
  .object({
    table: z.string().min(1).optional().meta({ title: 'Table' }),
    tables: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('Several tables of the same columns: orders_[0-31] or shop_[0-3].orders.')
      .meta({ title: 'Tables' }),
    query: z
      .string()
      .min(1)
      .optional()
      .describe('A SELECT to read instead of a table.')
      .meta({ title: 'Query', template: true }),
    columns: z.array(z.string().min(1)).optional().describe('Default: all, in their order.'),
    expressions: z
      .array(z.object({ name: z.string().min(1), sql: z.string().min(1).meta({ template: true }) }))
      .optional()
      .describe('More columns, computed by the server: their names and their SQL.'),
    where: z
      .string()
      .optional()
      .describe("Rows to read, e.g. ds = '${bizdate}'.")
      .meta({ title: 'Filter', template: true }),
    sliceKey: z
      .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
      .optional()
      .describe('Columns to cut the table by. Default: the primary key, else a unique one.')
      .meta({ title: 'Split key' }),
    snapshot: z
      .enum(['preferred', 'required'])
      .optional()
      .describe(
        'Where channels cannot share one: preferred (default) reads without it and says so, required reads over one channel.',
      )
      .meta({ title: 'Snapshot' }),
  })
  .refine((c) => [c.table, c.tables, c.query].filter((each) => each !== undefined).length === 1, {
    message: 'give one of table, tables and query',
    path: ['table'],
  });

export const mysqlReader = defineReader<z.output<typeof readerSchema>, MysqlConfig>({
  type: 'mysql',
  title: 'MySQL',
  config: readerSchema,
  configVersion: 1,
  examples: [
    { table: 'orders', where: "ds = '${bizdate}'", sliceKey: 'id' },
    { tables: ['orders_[0-31]'], sliceKey: ['customer_id', 'id'] },
    { query: "SELECT id, total FROM orders WHERE ds = '${bizdate}'" },
  ],
  open: async (config, ctx) => new MysqlReaderJob(config, ctx),
});
