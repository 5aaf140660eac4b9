import { z } from 'zod';

const secret = (title: string) => z.string().min(1).meta({ title, secret: true });

export const postgresSourceSchema = z.strictObject({
  host: secret('Host'),
  port: z.coerce
    .number()
    .int()
    .min(1)
    .max(65_535)
    .default(5432)
    .meta({ title: 'Port', secret: true }),
  database: z.string().min(1).meta({ title: 'Database' }),
  user: secret('User'),
  password: z.string().default('').meta({ title: 'Password', secret: true }),
  tls: z
    .strictObject({
      mode: z.enum(['off', 'prefer', 'require', 'verify']).default('prefer').meta({
        title: 'TLS',
        description: 'verify also checks the certificate and the name in it',
      }),
      ca: z.string().optional().meta({ title: 'CA certificate (PEM)' }),
    })
    .default({ mode: 'prefer' }),
  schema: z.string().min(1).default('public').meta({ title: 'Schema' }),
  ledger: z
    .strictObject({ schema: z.string().min(1).optional(), table: z.string().min(1).optional() })
    .optional()
    .meta({
      title: 'Ledger table',
      description: 'Where commits are recorded; default millrace_ledger',
    }),
});

export type PostgresSource = z.output<typeof postgresSourceSchema>;

export const SOURCE_EXAMPLE = {
  host: 'db.example.com',
  port: 5432,
  database: 'shop',
  user: 'millrace',
  password: 'secret',
  tls: { mode: 'prefer' },
  schema: 'public',
};
