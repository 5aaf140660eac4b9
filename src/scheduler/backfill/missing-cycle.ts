import { MISSING_REASONS, type MissingReason } from '../../domain/backfill/backfill-request.js';
import type { CycleOutput } from './cycle-outputs.js';
import type { MissingCycles } from './planned-backfill.js';
import { type SourceFinding, type StandingOf, uncheckedTables } from './source-finding.js';

/** Why a cycle is missing, or why nobody can say whether it is. */
export interface Lack {
  readonly reason: MissingReason;
  /** Of which of its outputs that is so; `null`: its node declares none, and it never succeeded. */
  readonly output: Pick<CycleOutput, 'dataSource' | 'tableName' | 'partition'> | null;
}

export interface MissingCycle extends Lack {
  readonly nodeId: number;
  readonly scheduledAt: Date;
  readonly bizdate: string;
}

/**
 * What is lacking of a cycle, worst first: an output without a record, one that has gone, one that nobody could
 * look for. An output with several records is there while one of them is. `undefined` outputs: the node declares
 * none, and has nothing but its own outcome to be known by.
 */
export function lackOf(
  outputs: readonly CycleOutput[] | undefined,
  hasSucceeded: boolean,
  standingOf: StandingOf,
): Lack | undefined {
  if (outputs === undefined)
    return hasSucceeded ? undefined : { reason: 'no_record', output: null };
  const standings = outputs.map((output) => ({ output, reason: reasonOf(output, standingOf) }));
  for (const reason of MISSING_REASONS) {
    const found = standings.find((each) => each.reason === reason);
    if (found === undefined) continue;
    const { dataSource, tableName, partition, records } = found.output;
    return {
      reason,
      output: { dataSource, tableName, partition: partition ?? records[0]?.partition ?? null },
    };
  }
  return undefined;
}

function reasonOf({ records }: CycleOutput, standingOf: StandingOf): MissingReason | undefined {
  if (records.length === 0) return 'no_record';
  const standings = new Set(records.map(standingOf));
  if (standings.has('present')) return undefined;
  return standings.has('unchecked') ? 'unchecked' : 'gone_at_source';
}

/** What nobody expects to read comes first. */
const LISTED: readonly MissingReason[] = ['gone_at_source', 'unchecked', 'no_record'];

export function missingCycles(
  cycles: readonly MissingCycle[],
  finding: SourceFinding | undefined,
): MissingCycles {
  const counts = { no_record: 0, gone_at_source: 0, unchecked: 0 };
  for (const { reason } of cycles) counts[reason]++;
  return {
    counts,
    cycles: LISTED.flatMap((reason) => cycles.filter((cycle) => cycle.reason === reason)),
    unchecked: uncheckedTables(finding),
  };
}
