import type { Mapping, RunContext, TableSchema, WriterJob } from '@millrace/sdk';
import type { FieldMapping, ResolvedMapping } from './field-mapping.js';
import { isSameMapping, provisionalMapping, resolveMapping } from './field-mapping.js';

/** A writer whose mapping is in the spelling of its target. */
export interface OpenMapped {
  readonly writer: WriterJob;
  readonly resolved: ResolvedMapping;
  readonly target: TableSchema;
}

/**
 * A writer is opened with its mapping, but the target's own spelling of the columns is known only to an
 * open writer: where it differs from the first guess the writer is opened a second time.
 */
export async function openMapped(
  source: TableSchema,
  {
    mapping,
    context,
  }: { readonly mapping?: FieldMapping | undefined; readonly context: RunContext },
  open: (mapping: Mapping) => Promise<WriterJob>,
): Promise<OpenMapped> {
  const guess = provisionalMapping(mapping, source);
  const first = await open(guess);
  try {
    const target = await first.describe();
    const resolved = resolveMapping(mapping, source, target);
    for (const note of resolved.notes) context.log.warn(note);
    if (isSameMapping(guess, resolved.mapping)) return { writer: first, resolved, target };
    await first.abort(new Error('opened again with the column names of the target'));
    const writer = await open(resolved.mapping);
    return { writer, resolved, target: await writer.describe() };
  } catch (error) {
    await first.abort(error).catch(() => undefined);
    throw error;
  }
}
