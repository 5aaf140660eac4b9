import { MillraceError } from '../../domain/errors.js';
import {
  isRerunWith,
  judge,
  type Operand,
  type RerunCode,
  type Verdict,
  type WideRerun,
} from '../../domain/instance/operation.js';
import type { Sql } from '../database.js';
import { downstreamClosure } from './downstream-closure.sql.js';
import { type InstanceKey, keyOf } from './instance-row.js';
import { lockForRerun, type RerunRow, startAgain } from './start-again.sql.js';

/** As many instances as one rerun reaches, those that are only looked at included. */
export const MAX_REACHED = 20_000;

export interface WideRerunDone {
  /** Of those instances that are there, in the order that was asked. */
  readonly items: readonly { readonly id: number; readonly verdict: Verdict }[];
  /** What runs again, without the instances that were named. */
  readonly along: readonly InstanceKey[];
}

/**
 * Reruns instances together with what lies downstream of them, in one step: nothing of it starts before
 * what is upstream of it has run again. What a worker holds goes on, and what may not be rerun stays.
 * MR-S141 when it would reach too far.
 */
export async function rerunWide(
  tx: Sql,
  operation: WideRerun,
  keys: readonly InstanceKey[],
  now: Date,
  code?: RerunCode,
): Promise<WideRerunDone> {
  const verdicts = new Map<number, Verdict>();
  // Locked before anything is looked for below them: from here on they stay as they are judged.
  for (const row of await lockForRerun(tx, keys))
    verdicts.set(row.id, judge(operation, operandOf(row)));
  const roots = keys.filter((key) => verdicts.get(key.id)?.verdict === 'will');
  const own = new Set(roots.map((key) => key.id));
  const reached = await downstreamClosure(tx, roots, MAX_REACHED + 1);
  if (reached.length > MAX_REACHED) throw tooFar();
  const rows = await lockForRerun(tx, reached);
  const chosen = rows.filter((row) => own.has(row.id) || isRerunWith(operation, operandOf(row)));
  await startAgain(tx, chosen, now, { code });
  return {
    items: itemsOf(keys, verdicts),
    along: chosen.filter((row) => !own.has(row.id)).map(keyOf),
  };
}

function operandOf({ status, frozen, rerun_mode: rerunMode }: RerunRow): Operand {
  return { status, frozen, rerunMode };
}

function itemsOf(
  keys: readonly InstanceKey[],
  verdicts: ReadonlyMap<number, Verdict>,
): WideRerunDone['items'] {
  return keys.flatMap(({ id }) => {
    const verdict = verdicts.get(id);
    return verdict === undefined ? [] : [{ id, verdict }];
  });
}

export function tooFar(): MillraceError {
  return new MillraceError(
    'MR-S141',
    `More than ${MAX_REACHED} instances lie downstream of what is named.`,
  );
}
