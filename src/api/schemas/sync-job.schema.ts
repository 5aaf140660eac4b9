import { z } from 'zod';

import { JOB_NOTE_LEVELS } from '../../domain/job-file/job-json.js';
import { JOB_DIALECTS } from '../../domain/job-file/job-shape.js';
import { storedCellSchema } from './instance.schema.js';

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
          level: z.enum(JOB_NOTE_LEVELS),
          path: z.string(),
          line: z.int(),
          column: z.int(),
          detail: z.string(),
        }),
      )
      .meta({
        description:
          'What was not carried over, says it in other words, or has no effect on the rows.',
      }),
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

export const syncPreviewRequestSchema = z
  .strictObject({
    config: syncNode,
    parameters: z
      .record(z.string(), z.string())
      .default({})
      .meta({ description: 'Expressions by name, as a workflow declares them.' }),
    bizdate: z.iso.date().optional().meta({ description: 'The last one without it.' }),
    rows: z.int().min(1).max(500).default(20).meta({ description: 'How many are read.' }),
    resourceGroup: z.string().default('default'),
  })
  .meta({ id: 'SyncPreviewRequest' });

export const syncPreviewSchema = z
  .object({
    columns: z.array(z.string()).meta({ description: 'Of the target: names of the cells.' }),
    rows: z
      .array(z.array(storedCellSchema))
      .meta({ description: 'As they would arrive, after mapping, functions and transform.' }),
    dirty: z
      .array(
        z.object({
          row: z.int().meta({ description: 'From 1, in the order of reading.' }),
          place: z.string().optional().meta({ description: 'Of a line that is no row.' }),
          column: z.string().optional(),
          code: z.string(),
          reason: z.string(),
        }),
      )
      .meta({
        description: 'Rows that would be dirty records, as far as it is known without writing.',
      }),
    rowsRead: z.int(),
    rowsFiltered: z.int(),
    verdicts: z.array(
      z.object({
        source: z.string(),
        target: z.string(),
        verdict: z.enum(['exact', 'widened', 'policy', 'impossible']),
        reason: z.string().optional(),
      }),
    ),
    findings: z
      .array(
        z.object({
          level: z.enum(['error', 'warning', 'info']),
          code: z.string().optional(),
          message: z.string(),
          column: z.string().optional(),
        }),
      )
      .meta({ description: 'An error would end a run before its first row.' }),
    lane: z.string(),
    slices: z.object({ count: z.int(), first: z.array(z.string()) }),
    plan: z
      .object({ strategy: z.enum(['transaction', 'staging', 'direct']), label: z.string() })
      .nullable()
      .meta({ description: 'Null: not known without writing.' }),
    createTable: z
      .object({
        sql: z.string().meta({ description: 'Proposed, or the one of the configuration.' }),
        notes: z.array(z.string()).meta({ description: 'Where it holds less than the source.' }),
      })
      .nullable()
      .meta({ description: 'How the missing table can be created; null: it is there.' }),
  })
  .meta({ id: 'SyncPreview' });
