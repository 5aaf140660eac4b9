import type { Mapping, RunContext, TableProposal, TableSchema, WriterJob } from '@millrace/sdk';
import { MillraceError, registeredCodeOf } from '../domain/errors.js';
import type { FieldMapping, ResolvedMapping } from './field-mapping.js';
import { isSameMapping, provisionalMapping, resolveMapping } from './field-mapping.js';
import { messageOf, reportFindings } from './job-report.js';

/** The table of a target that is not there. */
export interface MissingTable extends TableProposal {
  /** The server's words. */
  readonly detail: string;
}

/** A writer whose mapping is in the spelling of its target. */
export interface OpenMapped {
  readonly writer: WriterJob;
  readonly resolved: ResolvedMapping;
  readonly target: TableSchema;
  /** Then `target` is what the mapping wants it to be. */
  readonly missing?: MissingTable | undefined;
}

interface MappedJob {
  readonly mapping?: FieldMapping | undefined;
  readonly partitionColumns?: readonly string[] | undefined;
  /** The cursor up to which earlier runs have read. */
  readonly readBefore?: string | undefined;
  readonly context: RunContext;
}

/**
 * A writer is opened with its mapping, but the target's own spelling of the columns is known only to an
 * open writer: where it differs from the first guess the writer is opened a second time. `whenMissing`: a
 * run creates a table that is missing, if its configuration says so; a preview shows how.
 */
export async function openMapped(
  source: TableSchema,
  job: MappedJob,
  whenMissing: 'create' | 'show',
  open: (mapping: Mapping) => Promise<WriterJob>,
): Promise<OpenMapped> {
  const guess = provisionalMapping(job.mapping, source);
  const first = await open(guess);
  try {
    const found = await tableOf(first, source);
    const isCreated = found.missing !== undefined && whenMissing === 'create';
    if (isCreated) await create(first, source, found.missing, job);
    const target = isCreated ? await created(first) : found.target;
    const missing = isCreated ? undefined : found.missing;
    const resolved = resolve(job, source, target);
    for (const note of resolved.notes) job.context.log.warn(note);
    const opened = { resolved, target, missing };
    if (isSameMapping(guess, resolved.mapping)) return { writer: first, ...opened };
    await first.abort(new Error('opened again with the column names of the target'));
    const writer = await open(resolved.mapping);
    return { writer, ...opened, target: await writer.describe() };
  } catch (error) {
    await first.abort(error).catch(() => undefined);
    throw error;
  }
}

function resolve(
  { mapping, partitionColumns }: MappedJob,
  source: TableSchema,
  target: TableSchema,
): ResolvedMapping {
  return resolveMapping(mapping, source, target, partitionColumns);
}

async function tableOf(
  writer: WriterJob,
  source: TableSchema,
): Promise<{ readonly target: TableSchema; readonly missing?: MissingTable }> {
  try {
    return { target: await writer.describe() };
  } catch (error) {
    if (registeredCodeOf(error) !== 'MR-D107' || writer.missingTable === undefined) throw error;
    const proposal = await writer.missingTable(source);
    return { target: proposal.schema, missing: { ...proposal, detail: detailOf(error) } };
  }
}

/** What a proposal would be refused for is found before it is run: a run that fails leaves no table. */
async function create(
  writer: WriterJob,
  source: TableSchema,
  missing: MissingTable,
  job: MappedJob,
): Promise<void> {
  const { wanted, detail, sql, notes } = missing;
  const { readBefore, context } = job;
  const { log } = context;
  if (wanted === undefined) throw new MillraceError('MR-D107', withoutIt(detail));
  if (wanted === 'auto') {
    resolve(job, source, missing.schema);
    const { findings } = await writer.check(source);
    const errors = findings.filter(({ level }) => level === 'error');
    reportFindings(errors, context);
  }
  await writer.createTable?.(missing);
  log.info(`${detail}, so this was run:\n${sql}`);
  for (const note of notes) log.info(`Created table: ${note}`);
  if (readBefore !== undefined) {
    log.warn(`The rows up to ${readBefore} were read by earlier runs and are not read again.`);
  }
}

async function created(writer: WriterJob): Promise<TableSchema> {
  try {
    return await writer.describe();
  } catch (error) {
    if (registeredCodeOf(error) !== 'MR-D107') throw error;
    const detail = `${detailOf(error)}, although the statement of \`createTable\` has run`;
    throw new MillraceError('MR-D107', detail);
  }
}

/** What to do about a table that is missing where nothing was said of it. */
export function withoutIt(detail: string): string {
  return `${detail}; \`createTable: auto\` of the target creates it, and a preview shows the statement`;
}

function detailOf(error: unknown): string {
  const detail: unknown = Object(error).detail;
  return typeof detail === 'string' ? detail : messageOf(error);
}
