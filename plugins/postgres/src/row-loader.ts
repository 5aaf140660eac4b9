import type { CheckedLines, Chunk, Row } from '@millrace/sdk';
import { PluginError } from '@millrace/sdk';
import { openCopy } from './copy-in.js';
import type { CopyRows, OpenCopy } from './copy-in.js';
import type { LoadTarget } from './load-target.js';
import { tableOf } from './load-target.js';
import { seenKeys } from './seen-keys.js';
import { union } from './row-numbers.js';
import { loadTold, trySuspects } from './suspect-load.js';
import { toldBinary, toldCells, toldLines } from './told-rows.js';
import type { ToldRows } from './told-rows.js';

/** A chunk that is sent without its suspects, in the hope that the server takes all of it. */
export interface HopefulChunk {
  readonly rows: CopyRows;
  /** How many rows are sent. */
  readonly count: number;
  /**
   * Rows that the server may refuse are left out: they are tried behind the others, and before those of the next
   * chunk.
   */
  readonly hasSuspects: boolean;
  /** The server is to be asked for suspects before anything is sent. Nothing may be under way on the session. */
  readonly ask?: () => Promise<HopefulChunk>;
  /**
   * Once the server has taken all that was sent; with suspects, nothing may be under way on the session. Resolves to
   * the number of suspects written.
   */
  kept(): Promise<number>;
  /** Once it has refused it: bad rows go to quarantine. Resolves to the number of rows written. */
  again(): Promise<number>;
}

/** `undefined`: the chunk has to be looked at first, by {@link loadChunk}. */
export function hopefulChunk(into: LoadTarget, chunk: Chunk): HopefulChunk | undefined {
  const { history, plan } = into;
  if (history.isDirty && history.knownKeys === undefined) return undefined;
  if (chunk.lane === 'pg-copy-text') {
    const data = plan.complete(chunk.data, chunk.rowCount);
    return hopefulText(withoutFilled(into), data, chunk.rowCount);
  }
  if (chunk.lane !== 'pg-copy-binary') return undefined;
  if (history.isDirty) return warily(into, toldBinary(into, chunk.data), undefined);
  return {
    rows: { format: 'binary', parts: [chunk.data] },
    count: chunk.rowCount,
    hasSuspects: false,
    kept: async () => {
      history.chunkDone(false);
      return 0;
    },
    again: () => {
      history.chunkDone(true);
      return loadBinary(into, chunk.data);
    },
  };
}

/** Begins to send chunks, `behind` those that are not answered yet. */
export function openLoad(
  into: LoadTarget,
  format: CopyRows['format'],
  behind: OpenCopy | undefined,
): OpenCopy {
  return openCopy(into.client, tableOf(into), format, behind);
}

/** Puts the rows of a chunk into the table; bad rows go to quarantine. Resolves to the number written. */
export async function loadChunk(into: LoadTarget, chunk: Chunk): Promise<number> {
  switch (chunk.lane) {
    case 'rows':
      return loadRows(into, chunk.rows);
    case 'pg-copy-text': {
      const data = into.plan.complete(chunk.data, chunk.rowCount);
      return loadText(withoutFilled(into), data, chunk.rowCount);
    }
    case 'pg-copy-binary':
      return loadBinary(into, chunk.data);
    case 'csv':
      throw new PluginError('MR-P105', 'this writer does not take the lane csv');
  }
}

/** The quarantine keeps the cells of the source: a completed line has more. */
function withoutFilled(into: LoadTarget): LoadTarget {
  const { length } = into.plan.sources;
  return {
    ...into,
    quarantine: (record) => into.quarantine({ ...record, cells: record.cells.slice(0, length) }),
  };
}

/**
 * Lines whose columns the server cannot all be trusted with are looked at first; where rows were refused a moment
 * ago, all that can be looked at is.
 */
function hopefulText(into: LoadTarget, data: Uint8Array, count: number): HopefulChunk {
  const { plan, history } = into;
  if (!history.isDirty) {
    const looked = plan.lineCheck.isNeeded
      ? plan.lineCheck.check(data, count, 'needed')
      : undefined;
    return {
      rows: { format: 'text', parts: [looked?.data ?? data] },
      count: looked?.count ?? count,
      hasSuspects: false,
      kept: async () => {
        await quarantineAll(into, looked);
        looked?.release?.();
        history.chunkDone((looked?.refused.length ?? 0) > 0);
        return 0;
      },
      again: async () => {
        history.chunkDone(true);
        const written = await loadText(into, data, count);
        // Not before: some of it may still have been on its way to a server that had refused it.
        looked?.release?.();
        return written;
      },
    };
  }
  const looked = plan.lineCheck.check(data, count, 'all');
  return warily(into, toldLines(into, looked), looked);
}

/** `looked`: of lines, what was found. */
function warily(into: LoadTarget, told: ToldRows, looked: CheckedLines | undefined): HopefulChunk {
  const { history } = into;
  const { rows, unfit } = told;
  const without = (suspects: readonly number[]): HopefulChunk => ({
    rows: { format: rows.format, parts: rows.without(suspects) },
    count: rows.count - suspects.length,
    hasSuspects: suspects.length > 0,
    kept: async () => {
      await quarantineAll(into, looked);
      const written = await trySuspects(into, told, suspects);
      looked?.release?.();
      history.chunkDone((looked?.refused.length ?? 0) + suspects.length > written);
      return written;
    },
    again: async () => {
      await quarantineAll(into, looked);
      history.chunkDone(true);
      const written = await loadTold(into, told, suspects.length);
      looked?.release?.();
      return written;
    },
  });
  const near = union(unfit, seenKeys(rows, history.knownKeys ?? []));
  const { suspects = near, ask } = history.usefulQuery?.usual(rows, near) ?? {};
  return {
    ...without(suspects),
    ...(ask === undefined ? {} : { ask: async () => without(await ask()) }),
  };
}

async function loadText(into: LoadTarget, data: Uint8Array, count: number): Promise<number> {
  const looked = into.plan.lineCheck.check(data, count, 'all');
  const told = toldLines(into, looked);
  await quarantineAll(into, looked);
  const written = await loadTold(into, told);
  looked.release?.();
  into.history.chunkDone(looked.refused.length + told.rows.count > written);
  return written;
}

async function quarantineAll(into: LoadTarget, looked: CheckedLines | undefined): Promise<void> {
  const { sliceNo } = into;
  for (const refused of looked?.refused ?? []) {
    await into.quarantine({ sliceNo, code: 'MR-D202', ...refused });
  }
}

async function loadRows(into: LoadTarget, all: readonly Row[]): Promise<number> {
  const { plan, sliceNo, quarantine, history } = into;
  const good: Row[] = [];
  const originals: Row[] = [];
  for (const cells of all) {
    const planned = plan.plan(cells);
    if (planned.refused === undefined) {
      good.push(planned.row);
      originals.push(cells);
    } else {
      await quarantine({ sliceNo, cells, code: 'MR-D202', ...planned.refused });
    }
  }
  const written = await loadTold(into, toldCells(good, originals));
  history.chunkDone(all.length > written);
  return written;
}

async function loadBinary(into: LoadTarget, data: Uint8Array): Promise<number> {
  const told = toldBinary(into, data);
  const written = await loadTold(into, told);
  into.history.chunkDone(told.rows.count > written);
  return written;
}
