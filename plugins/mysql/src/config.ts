import { z } from 'zod';

export const TLS_MODES = ['off', 'prefer', 'require', 'verify'] as const;

/** Configuration of a data source of type `mysql`: any server that speaks the MySQL protocol. */
export const mysqlDataSourceSchema = z.object({
  host: z.string().min(1).meta({ title: 'Host', secret: true }),
  port: z.int().min(1).max(65_535).default(3306).meta({ title: 'Port', secret: true }),
  database: z.string().min(1).meta({ title: 'Database' }),
  user: z.string().min(1).meta({ title: 'User', secret: true }),
  password: z.string().default('').meta({ title: 'Password', secret: true }),
  tls: z
    .object({
      mode: z
        .enum(TLS_MODES)
        .default('prefer')
        .describe('`require` encrypts without looking at the certificate, `verify` checks it too.'),
      ca: z.string().optional().describe('PEM of the certificate authority, for `verify`.'),
    })
    .default({ mode: 'prefer' })
    .meta({ title: 'TLS' }),
  ledger: z
    .object({
      database: z.string().min(1).optional().describe('Default: the database above.'),
      table: z.string().min(1).optional().describe('Default: millrace_ledger.'),
    })
    .optional()
    .describe('Where Millrace notes, in the same transaction as the rows, which run wrote them.'),
});

export type MysqlConfig = z.output<typeof mysqlDataSourceSchema>;
