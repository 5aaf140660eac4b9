import type {
  Mapping,
  PartitionValues,
  RunContext,
  TableProposal,
  TableSchema,
  WriterJob,
} from '@millrace/sdk';
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
  readonly missing?: MissingTable;
}

interface MappedJob {
  readonly mapping?: FieldMapping | undefined;
  readonly partition?: PartitionValues | undefined;
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
    const table =
      whenMissing === 'create' ? await createdIfMissing(first, source, found, job) : found;
    const { target } = table;
    const resolved = resolve(job, source, target);
    for (const note of resolved.notes) job.context.log.warn(note);
    const opened = { ...table, resolved };
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
  { mapping, partition = {} }: MappedJob,
  source: TableSchema,
  target: TableSchema,
): ResolvedMapping {
  return resolveMapping(mapping, source, target, Object.keys(partition));
}

interface FoundTable {
  /** Of one that is missing, what is proposed. */
  readonly target: TableSchema;
  readonly missing?: MissingTable;
}

async function tableOf(writer: WriterJob, source: TableSchema): Promise<FoundTable> {
  try {
    return { target: await writer.describe() };
  } catch (error) {
    if (registeredCodeOf(error) !== 'MR-D107' || writer.missingTable === undefined) throw error;
    const proposal = await writer.missingTable(source);
    const missing = { ...proposal, detail: detailOf(error) };
    return { target: await writer.describe(), missing };
  }
}

/** What a proposal would be refused for is found before it is run: a run that fails leaves no table. */
async function createdIfMissing(
  writer: WriterJob,
  source: TableSchema,
  found: FoundTable,
  job: MappedJob,
): Promise<FoundTable> {
  const { target, missing } = found;
  if (missing === undefined) return found;
  const { wanted, detail, sql, notes } = missing;
  const { readBefore, context } = job;
  const { log } = context;
  if (wanted === undefined) throw new MillraceError('MR-D107', withoutIt(detail));
  if (wanted === 'auto') {
    resolve(job, source, target);
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
  return { target: await describedNow(writer) };
}

async function describedNow(writer: WriterJob): Promise<TableSchema> {
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
