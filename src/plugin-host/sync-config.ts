import type { ConfigSchema, ReaderPlugin, SchemaIssue, WriterPlugin } from '@millrace/sdk';
import { VERIFICATIONS } from '@millrace/sdk';
import { z } from 'zod';
import { MillraceError } from '../domain/errors.js';
import { issueText } from '../domain/issue-text.js';
import { dirtyLimitSchema, rateLimitSchema } from './channel-schema.js';
import { inputSchemaOf, isRecord } from './json-schema.js';
import type { JsonSchema } from './json-schema.js';
import { mappingConfig } from './mapping-config.js';

/** What every run of a sync node produces: counts of rows. */
export const SYNC_OUTPUTS = ['rows_read', 'rows_written', 'rows_dirty'] as const;

const dataSource = z
  .string()
  .min(1)
  .meta({ title: 'Data source', description: 'Its name, as in the list of data sources.' });

const settings = {
  mapping: mappingConfig
    .optional()
    .meta({ title: 'Field mapping', description: 'Without it, columns are matched by name.' }),
  incremental: z
    .strictObject({
      cursor: z.string().min(1).meta({ description: 'A column of the source that only grows.' }),
      start: z
        .string()
        .min(1)
        .optional()
        .meta({ template: true, description: 'The first run reads what lies behind it.' }),
      overlap: z.int().min(0).optional().meta({
        description:
          'How far before its end each run begins again, for rows that were committed late: seconds, or a number. Needs a mode that does not double rows.',
      }),
    })
    .optional()
    .meta({
      title: 'Incremental',
      description:
        'Each run reads what has come since the last. How far it came is kept with the rows.',
    }),
  channel: z
    .strictObject({
      concurrency: z
        .int()
        .min(1)
        .max(64)
        .default(1)
        .meta({ description: 'How many slices are read and written at the same time.' }),
      snapshotMinutes: z.number().positive().optional().meta({
        description:
          'How long a snapshot of the source may be held before the run ends; default 60.',
      }),
      stallMinutes: z.number().positive().optional().meta({
        description:
          'When no row has moved for so long the run ends and is tried again; default 60. More for a source that computes long before its first row.',
      }),
      rateLimit: rateLimitSchema.optional().meta({
        description: 'How fast the whole job may be, by the clock of its workflow.',
      }),
      maxRowBytes: z
        .int()
        .min(1024)
        .max(512 * 1024 * 1024)
        .optional()
        .meta({ description: 'A larger row is a dirty record. Default 64 MB.' }),
      dirtyLimit: dirtyLimitSchema.default({ records: 0 }).meta({
        description:
          'How many dirty records a run may have; more fail it. `ratio` is of the rows read.',
      }),
    })
    .prefault({})
    .meta({ title: 'Channel control' }),
  policies: z
    .strictObject({
      zeroDate: z.enum(['dirty', 'null']).optional().meta({
        description: 'Dates that are in no calendar, as `0000-00-00`: dirty records, or NULL.',
      }),
      nulCharacter: z.enum(['dirty', 'remove', 'replace']).optional().meta({
        description: 'U+0000 in text: a dirty record, left out, or replaced by U+FFFD.',
      }),
      notFinite: z.enum(['dirty', 'null']).optional().meta({
        description: 'NaN and infinity, of numbers and of dates: dirty records, or NULL.',
      }),
    })
    .optional()
    .meta({
      title: 'Value policies',
      description:
        'What becomes of values that a target cannot hold. Without it they are dirty records. Every application is counted, and the rows go by the row lane.',
    }),
  verification: z.enum(VERIFICATIONS).default('count').meta({
    title: 'Verification',
    description:
      'Before a run publishes, the target counts its rows. `checksum`: source and target also compute a checksum of them, which reads both once more.',
  }),
};

const syncConfig = z.strictObject({
  source: z.looseObject({ dataSource }),
  target: z.looseObject({ dataSource }),
  ...settings,
});

/** The configuration of a sync node as users write it, with its defaults. */
export type SyncConfig = z.output<typeof syncConfig>;

/** One end of a sync without the name of its data source: the reader's or writer's own configuration. */
export function ownConfigOf(end: SyncConfig['source']): Record<string, unknown> {
  const { dataSource: _, ...own } = end;
  return own;
}

function withDataSource(own: JsonSchema): JsonSchema {
  const added = z.toJSONSchema(dataSource);
  const { $schema: _, ...rest } = own;
  for (const keyword of ['anyOf', 'oneOf']) {
    const parts = rest[keyword];
    if (Array.isArray(parts)) {
      return { ...rest, [keyword]: parts.filter(isRecord).map(withDataSource) };
    }
  }
  const properties = isRecord(rest['properties']) ? rest['properties'] : {};
  const required = Array.isArray(rest['required']) ? rest['required'] : [];
  return {
    ...rest,
    type: 'object',
    properties: { dataSource: added, ...properties },
    required: ['dataSource', ...required],
  };
}

async function endIssues(
  name: 'source' | 'target',
  schema: ConfigSchema,
  end: SyncConfig['source'],
): Promise<readonly SchemaIssue[]> {
  const result = await schema['~standard'].validate(ownConfigOf(end));
  return (result.issues ?? []).map((issue) => ({ ...issue, path: [name, ...(issue.path ?? [])] }));
}

/**
 * The schema of a sync between two kinds of data source: the shape above with the reader's schema in
 * `source` and the writer's in `target`, annotations included. Its value keeps `source` and `target`
 * as written: reader and writer fill in their own defaults when they are opened.
 */
export function syncSchema(reader: ReaderPlugin, writer: WriterPlugin): ConfigSchema<SyncConfig> {
  const json = (): Record<string, unknown> => {
    const outer = z.toJSONSchema(syncConfig, { io: 'input' });
    return {
      ...outer,
      properties: {
        ...outer.properties,
        source: withDataSource(inputSchemaOf(reader.config)),
        target: withDataSource(inputSchemaOf(writer.config)),
      },
    };
  };
  return {
    '~standard': {
      version: 1,
      vendor: 'millrace',
      jsonSchema: { input: json, output: json },
      validate: async (value) => {
        const parsed = syncConfig.safeParse(value);
        if (!parsed.success) return { issues: parsed.error.issues };
        const issues = [
          ...(await endIssues('source', reader.config, parsed.data.source)),
          ...(await endIssues('target', writer.config, parsed.data.target)),
        ];
        return issues.length > 0 ? { issues } : { value: parsed.data };
      },
    },
  };
}

/** The names of the two data sources of a sync; MR-S103 when they are not there. */
export function syncDataSources(config: unknown): {
  readonly source: string;
  readonly target: string;
} {
  const end = z.looseObject({ dataSource });
  const parsed = z.looseObject({ source: end, target: end }).safeParse(config);
  if (parsed.success) {
    return { source: parsed.data.source.dataSource, target: parsed.data.target.dataSource };
  }
  const errors = parsed.error.issues.map((issue) => ({
    pointer: issue.path.map((key) => `/${String(key)}`).join(''),
    detail: issueText(issue),
  }));
  const list = errors.map(({ pointer, detail }) => `${pointer}: ${detail}`).join('; ');
  throw new MillraceError('MR-S103', list, { errors });
}
