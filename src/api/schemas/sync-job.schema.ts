import { z } from 'zod';

import { JOB_DIALECTS } from '../../domain/job-file/job-shape.js';

const dialect = z.enum(JOB_DIALECTS).meta({ id: 'JobDialect' });
const syncNode = z
  .looseObject({
    source: z.looseObject({ dataSource: z.string().min(1) }),
    target: z.looseObject({ dataSource: z.string().min(1) }),
    mapping: z.record(z.string(), z.unknown()).optional(),
    channel: z.record(z.string(), z.unknown()).optional(),
  })
  .meta({ id: 'SyncNodeConfig', description: 'As `config` of a sync node holds it.' });

export const jobImportRequestSchema = z
  .strictObject({
    text: z
      .string()
      .min(1)
      .max(1_000_000)
      .meta({ description: 'The file; comments and commas at the end are allowed.' }),
    names: z
      .record(z.string(), z.string())
      .default({})
      .meta({ description: 'What data sources of the file are called here.' }),
  })
  .meta({ id: 'JobImportRequest' });

const proposedDataSource = z
  .object({
    name: z.string(),
    type: z.string(),
    url: z.string().optional(),
    user: z.string().optional(),
    root: z.string().optional().meta({ description: 'Of files.' }),
    isKnown: z.boolean().meta({ description: 'The workspace has one of this name.' }),
  })
  .meta({ id: 'ProposedDataSource' });

export const importedJobSchema = z
  .object({
    dialect,
    config: syncNode,
    dataSources: z.object({ source: proposedDataSource, target: proposedDataSource }),
    notes: z
      .array(
        z.object({
          level: z.enum(['lost', 'changed']),
          path: z.string(),
          line: z.int(),
          column: z.int(),
          detail: z.string(),
        }),
      )
      .meta({ description: 'What was not carried over or says it in other words.' }),
    errors: z
      .array(z.object({ pointer: z.string(), detail: z.string() }))
      .meta({ description: 'What a submit would say of the configuration.' }),
  })
  .meta({ id: 'ImportedJob' });

export const jobExportRequestSchema = z
  .strictObject({ config: syncNode, dialect: dialect.default('datax') })
  .meta({ id: 'JobExportRequest' });

export const exportedJobSchema = z
  .object({
    text: z.string(),
    onlyHere: z
      .array(z.string())
      .meta({ description: 'Pointers to what only Millrace reads in the file.' }),
  })
  .meta({ id: 'ExportedJob' });
