import type { Row } from '@millrace/sdk';
import { sendCopy } from './copy-in.js';
import type { LoadTarget } from './load-target.js';
import { tableOf } from './load-target.js';
import { serverErrorOf, serverReasonOf, toPluginError } from './pg-error.js';
import { loadRange } from './range-load.js';
import { union } from './row-numbers.js';
import { tryRows } from './row-tries.js';
import { seenKeys } from './seen-keys.js';
import type { SuspectTarget } from './suspect-rules.js';
import type { ToldRows } from './told-rows.js';

/** A run may be over its limit of dirty rows: no more than these are tried before that is looked at. */
const TRIED_AT_ONCE = 256;

/**
 * Puts rows into the table: first those that nothing speaks against, by one statement, then the suspects one by
 * one, in their order. Where the server refuses others too, more are suspected; at last it is asked about ever
 * smaller ranges. `last`: with so many suspects it has just refused others. Resolves to the number written.
 */
export async function loadTold(into: LoadTarget, told: ToldRows, last?: number): Promise<number> {
  if (told.rows.count === 0) return 0;
  let before = last;
  for (const look of looksAt(into, told)) {
    const suspects = await look();
    // Without the same ones as before it would be refused as before.
    if (suspects.length === before) continue;
    before = suspects.length;
    const written = await loadWithout(into, told, suspects);
    if (written !== undefined) return written;
  }
  return loadRanges(into, told);
}

/** Ways to find the suspects among rows, each dearer than the one before; those that would not do are left out. */
function looksAt(
  into: LoadTarget,
  { rows, unfit }: ToldRows,
): readonly (() => Promise<readonly number[]>)[] {
  const { history } = into;
  const near = async (): Promise<readonly number[]> =>
    union(unfit, seenKeys(rows, await history.keys(suspectTargetOf(into))));
  const far = async (): Promise<readonly number[]> => {
    const suspects = await history.suspectQuery(suspectTargetOf(into));
    const known = await near();
    return (await suspects.full(rows, known).ask?.()) ?? known;
  };
  if (history.usefulQuery !== undefined) return [far];
  return history.isDirty ? [near, far] : [() => Promise.resolve(unfit), near, far];
}

function suspectTargetOf({ client, quotedTable, plan }: LoadTarget): SuspectTarget {
  return { client, quotedTable, columns: plan.columns };
}

/** `undefined`: the server has refused other rows too, and none is written. */
async function loadWithout(
  into: LoadTarget,
  told: ToldRows,
  suspects: readonly number[],
): Promise<number | undefined> {
  const { format } = told.rows;
  const taken = await sendCopy(into.client, tableOf(into), {
    format,
    parts: told.rows.without(suspects),
  }).taken;
  return typeof taken === 'number' ? taken + (await trySuspects(into, told, suspects)) : undefined;
}

/** In their order, behind all others of the chunk. Resolves to the number written. */
export async function trySuspects(
  into: LoadTarget,
  { rows, cellsOf }: ToldRows,
  suspects: readonly number[],
): Promise<number> {
  let written = 0;
  for (let at = 0; at < suspects.length; at += TRIED_AT_ONCE) {
    const some = suspects.slice(at, at + TRIED_AT_ONCE);
    const lines = some.map((index) => rows.row(index));
    const tried = await tryRows(into.client, tableOf(into), rows.format, lines);
    const refused: { readonly index: number; readonly error: unknown }[] = [];
    for (const [i, each] of tried.entries()) {
      if (typeof each === 'number') written += each;
      else refused.push({ index: some[i] ?? 0, error: each.refused });
    }
    const cells = await cellsOf(refused.map(({ index }) => index));
    for (const [i, { error }] of refused.entries()) await refuse(into, cells[i] ?? [], error);
  }
  return written;
}

/** For rows of which the server refuses some that nothing tells apart. Resolves to the number written. */
export async function loadRanges(into: LoadTarget, { rows, cellsOf }: ToldRows): Promise<number> {
  const { format } = rows;
  // What the server says it took: a trigger may have dropped rows, and that must not pass for written.
  let written = 0;
  await loadRange(0, rows.count, {
    put: async (from, to) => {
      const parts = [rows.range(from, to)];
      const taken = await sendCopy(into.client, tableOf(into), { format, parts }).taken;
      if (typeof taken !== 'number') return taken.refused;
      written += taken;
      return undefined;
    },
    badRowOf: badLineOf,
    refuse: async (index, error) => refuse(into, (await cellsOf([index]))[0] ?? [], error),
  });
  return written;
}

function refuse({ sliceNo, quarantine }: LoadTarget, cells: Row, error: unknown): Promise<void> {
  return quarantine({ sliceNo, cells, ...serverReasonOf(error) });
}

function badLineOf(error: unknown): number | undefined {
  const context = serverErrorOf(toPluginError(error).cause)?.context ?? '';
  const line = /^COPY .*?, line (\d+)/m.exec(context)?.[1];
  return line === undefined ? undefined : Number(line) - 1;
}
