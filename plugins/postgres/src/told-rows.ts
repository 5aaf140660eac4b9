import type { CheckedLines, Row } from '@millrace/sdk';
import { CopyTextDecoder, PluginError, encodeCopyText } from '@millrace/sdk';
import { ChunkRows } from './chunk-rows.js';
import { sendCopy } from './copy-in.js';
import { CopyOut } from './copy-out.js';
import type { LoadTarget } from './load-target.js';
import { toPluginError } from './pg-error.js';
import { quoteName } from './quoting.js';
import { query } from './session.js';

const REFUSED = `pg_temp.${quoteName('millrace_refused')}`;
/** Where more lines than that are doubtful they are written in a way of their own, and most of them are good. */
const DOUBTFUL_ONE_IN = 20;

/** Rows told apart, and what the quarantine keeps of those that are refused. */
export interface ToldRows {
  readonly rows: ChunkRows;
  /** Numbers of rows that look as if the server would refuse them. */
  readonly unfit: readonly number[];
  cellsOf(indexes: readonly number[]): Promise<readonly Row[]>;
}

export function toldLines(
  { plan }: LoadTarget,
  { data, count, originals, doubtful }: CheckedLines,
): ToldRows {
  const rows = ChunkRows.of('text', data);
  return {
    rows,
    unfit: doubtful.length * DOUBTFUL_ONE_IN > count ? [] : doubtful,
    cellsOf: (indexes) => {
      const decoder = new CopyTextDecoder(plan.lineSources);
      return Promise.resolve(
        indexes.map((index) => originals.get(index) ?? decoder.push(rows.row(index))[0] ?? []),
      );
    },
  };
}

/** Rows of the row lane, as lines. */
export function toldCells(rows: readonly Row[], originals: readonly Row[]): ToldRows {
  return {
    rows: ChunkRows.of('text', encodeCopyText(rows)),
    unfit: [],
    cellsOf: (indexes) => Promise.resolve(indexes.map((index) => originals[index] ?? [])),
  };
}

export function toldBinary(into: LoadTarget, data: Uint8Array): ToldRows {
  const rows = ChunkRows.of('binary', data);
  const filled = into.plan.mapped.flatMap(({ nullable }, place) => (nullable ? [] : [place]));
  return {
    rows,
    unfit: rows.withNull(filled),
    cellsOf: (indexes) =>
      binaryCells(
        into,
        indexes.map((index) => rows.row(index)),
      ),
  };
}

/**
 * The cells of binary rows, by way of their text from the server: a temporary table of the same columns has no
 * constraint that could refuse them.
 */
async function binaryCells(into: LoadTarget, rows: readonly Buffer[]): Promise<readonly Row[]> {
  if (rows.length === 0) return [];
  const { client, quotedTable, plan } = into;
  await query(
    client,
    `CREATE TEMPORARY TABLE IF NOT EXISTS ${quoteName('millrace_refused')} ON COMMIT DROP AS
       SELECT ${plan.columnList} FROM ${quotedTable} WHERE false;
     TRUNCATE ${REFUSED}`,
  );
  const { taken: answer } = sendCopy(client, REFUSED, { format: 'binary', parts: rows });
  const taken = await answer;
  if (typeof taken !== 'number') throw toPluginError(taken.refused);
  const parts: Buffer[] = [];
  const chunkBytes = rows.reduce((sum, row) => sum + row.length, 0);
  const copy = new CopyOut(`TABLE ${REFUSED}`, 'text', { chunkBytes }, async (part) => {
    parts.push(part);
  });
  await client.query(copy).done;
  const found = new CopyTextDecoder(plan.lineSources).push(Buffer.concat(parts));
  if (found.length !== rows.length) {
    throw new PluginError(
      'MR-P105',
      `${found.length} rows came back as text instead of ${rows.length}`,
    );
  }
  return found;
}
