import { z } from 'zod';

import { ENVIRONMENTS } from '../../store/repositories/data-source-repository.js';
import { instantSchema } from './field.schema.js';

const MAX_DESCRIPTION = 80;

const nameSchema = z
  .string()
  .regex(
    /^[A-Za-z][A-Za-z0-9_]{0,62}$/,
    'letters, digits and underscores; it begins with a letter; at most 63',
  );
// Characters as the database counts them: an emoji is one.
const descriptionSchema = z
  .string()
  .refine((text) => [...text].length <= MAX_DESCRIPTION, `at most ${MAX_DESCRIPTION} characters`);
const placeSchema = z.string().max(200);
const configSchema = z.record(z.string(), z.unknown());
const resourceGroupSchema = z.string().default('default');
const urlSchema = z.string().max(2000).meta({
  description:
    'A connection string, jdbc:mysql://host:port/database; `config` wins over its parts.',
});

export const newDataSourceSchema = z
  .strictObject({
    name: nameSchema,
    type: z.string(),
    environment: z.enum(ENVIRONMENTS).default('production'),
    description: descriptionSchema.default(''),
    config: configSchema.default({}),
    url: urlSchema.optional(),
    region: placeSchema.default(''),
    networkType: placeSchema.default(''),
    cidr: placeSchema.default(''),
    resourceGroup: resourceGroupSchema,
    test: z.boolean().default(false).meta({ description: 'Test the connection before saving.' }),
    confirmFailedTest: z.boolean().default(false),
  })
  .meta({ id: 'NewDataSource' });

export const dataSourceChangeSchema = z
  .strictObject({
    description: descriptionSchema.optional(),
    config: configSchema.optional().meta({
      description: 'Fields to replace; the others, secrets included, stay. null removes a field.',
    }),
    url: urlSchema.optional(),
    region: placeSchema.optional(),
    networkType: placeSchema.optional(),
    cidr: placeSchema.optional(),
    resourceGroup: resourceGroupSchema,
    test: z.boolean().default(false),
    confirmFailedTest: z.boolean().default(false),
  })
  .meta({ id: 'DataSourceChange' });

export const connectivityTestSchema = z
  .strictObject({
    type: z.string(),
    config: configSchema.default({}),
    url: urlSchema.optional(),
    resourceGroup: resourceGroupSchema,
  })
  .meta({ id: 'ConnectivityTest' });

export const savedTestSchema = z.strictObject({ resourceGroup: resourceGroupSchema }).prefault({});

export const browseSchema = z
  .strictObject({
    resourceGroup: resourceGroupSchema,
    request: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('schemas') }),
      z.strictObject({
        kind: z.literal('tables'),
        schema: z.string().optional(),
        like: z.string().optional(),
        limit: z.int().min(1).max(10_000).default(500),
      }),
      z.strictObject({
        kind: z.literal('table'),
        schema: z.string().optional(),
        table: z.string(),
      }),
      z.strictObject({
        kind: z.literal('sample'),
        schema: z.string().optional(),
        table: z.string(),
        limit: z.int().min(1).max(20).default(20),
      }),
    ]),
  })
  .meta({ id: 'Browse' });

const testReportSchema = z
  .object({
    steps: z.array(z.record(z.string(), z.unknown())),
    error: z.object({ code: z.string(), detail: z.string() }).nullable(),
  })
  .meta({ id: 'TestReport' });

export const testOutcomeSchema = z
  .object({
    status: z.enum(['succeeded', 'failed']),
    report: testReportSchema,
    resourceGroup: z.string(),
    workerAddresses: z.array(z.string()).meta({ description: 'For the allow-list of the server.' }),
  })
  .meta({ id: 'TestOutcome' });

export const dataSourceSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    type: z.string(),
    environment: z.enum(ENVIRONMENTS),
    description: z.string(),
    config: configSchema.meta({ description: 'Without the secret fields.' }),
    secretFields: z.array(z.string()),
    testStatus: z.enum(['untested', 'succeeded', 'failed']),
    testReport: testReportSchema.nullable(),
    testedAt: instantSchema.nullable(),
    region: z.string(),
    networkType: z.string(),
    cidr: z.string(),
    revision: z.int(),
    createdAt: instantSchema,
    updatedAt: instantSchema,
  })
  .meta({ id: 'DataSource' });

export type NewDataSourceBody = z.output<typeof newDataSourceSchema>;
export type DataSourceChangeBody = z.output<typeof dataSourceChangeSchema>;
export type ConnectivityTestBody = z.output<typeof connectivityTestSchema>;
export type BrowseBody = z.output<typeof browseSchema>;
