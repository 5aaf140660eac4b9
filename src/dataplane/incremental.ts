import type { CursorMove, ReaderJob, WriterJob } from '@millrace/sdk';
import { MillraceError } from '../domain/errors.js';

/** A run reads what has come since the last one, by a column that grows. */
export interface Incremental {
  readonly cursor: string;
  /** Where the first run begins, itself excluded; without it at the first row. */
  readonly start?: string | undefined;
  /** Seconds or a number: what commits late is behind the cursor already, so it is looked for again. */
  readonly overlap?: number | undefined;
}

/** Modes that leave the rows of earlier runs alone. */
const ADDING = [
  'append',
  'upsert',
  'ignore',
  'update',
  'insert-replace-row',
  'delete-insert',
  'scd2',
];

interface WriterMode {
  readonly mode?: string;
  readonly versions?: { readonly missing?: string };
}

/** Throws MR-D219 for a mode that would remove what earlier runs brought, or double what is read again. */
export function checkIncremental(incremental: Incremental, writerConfig: unknown): void {
  const { mode = 'append', versions } = writerConfig as WriterMode;
  if (versions?.missing === 'close') {
    throw new MillraceError('MR-D219', 'what is not new would be closed as missing');
  }
  if (!ADDING.includes(mode)) {
    throw new MillraceError('MR-D219', `${mode} would remove the rows of earlier runs`);
  }
  if ((incremental.overlap ?? 0) > 0 && mode === 'append') {
    throw new MillraceError(
      'MR-D219',
      'append would double the rows of the overlap; use upsert or ignore',
    );
  }
}

const LONGEST = 120;

/**
 * Opens the window of this run: behind where the last one ended (`from`, less the overlap), up to the largest
 * cursor there is now. Half open, so that no row is in two windows; NULL is in none.
 */
export async function nextWindow(
  reader: ReaderJob,
  writer: WriterJob,
  { cursor, start, overlap = 0 }: Incremental,
  note: (text: string) => void,
): Promise<CursorMove | undefined> {
  if (reader.window === undefined) throw new MillraceError('MR-D219', 'this source has no cursors');
  if (writer.cursor === undefined)
    throw new MillraceError('MR-D219', 'this target keeps no cursors');
  const from = await writer.cursor();
  const after = from ?? start;
  const to = await reader.window({
    column: cursor,
    overlap: from === undefined ? 0 : overlap,
    ...(after === undefined ? {} : { after }),
  });
  const back = from === undefined || overlap === 0 ? '' : ` less ${overlap}`;
  note(
    `Window: ${cursor} from ${after ?? 'the first'}${back}, up to ${to ?? 'none: no row is there'}`,
  );
  if (to === undefined || to === from) return undefined;
  if (to.length > LONGEST)
    throw new MillraceError('MR-D219', `the cursor has ${to.length} characters`);
  return { to, ...(from === undefined ? {} : { from }) };
}
