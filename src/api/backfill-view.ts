import { encodeDayId, encodeId } from '../domain/ids.js';
import { type BackfillNode, mayRun } from '../scheduler/backfill/planned-backfill.js';
import type { BackfillForeseen } from '../scheduler/backfill/foresee-backfill.js';
import type { Backfill, BackfillDate } from '../store/repositories/backfill-repository.js';

export function backfillView(backfill: Backfill): object {
  return { ...backfill, id: encodeId('bf', backfill.id) };
}

export function backfillDetailView(backfill: Backfill, dates: readonly BackfillDate[]): object {
  const bizdates = dates.map(({ bizdate, state, openedAt, endedAt, statuses }) => ({
    bizdate,
    state,
    openedAt,
    endedAt,
    statuses,
  }));
  return { ...backfillView(backfill), bizdates };
}

function roleOf(node: BackfillNode): object {
  const { name, workflow, isForbidden } = node;
  if (mayRun(node)) return { name, workflow, role: 'run', reason: null };
  const reason = isForbidden ? 'backfill_forbidden' : 'left_out';
  return { name, workflow, role: 'dry_run', reason };
}

/** Counts go as columns: a year of a hundred nodes has 36,500 cells. */
export function backfillPlanView(foreseen: BackfillForeseen): object {
  const { versions, nodes, dates, totals, conflicts, choices, missing, ...rest } = foreseen;
  return {
    ...rest,
    version: versions[0].version,
    workflows: versions.map(({ name, version, timezone }) => ({ name, version, timezone })),
    nodes: nodes.map(roleOf),
    dates: dates.map(({ bizdate, cells }) => ({
      bizdate,
      run: cells.map((cell) => cell.run),
      dryRun: cells.map((cell) => cell.dryRun),
      leftOut: cells.map((cell) => cell.leftOut),
      conflicts: cells.map((cell) => cell.conflicts),
    })),
    totals: { dates: dates.length, ...totals },
    conflicts: conflicts.map((twin) => ({
      id: encodeDayId('inst', twin),
      node: twin.node,
      scheduledTime: twin.scheduledAt,
      status: twin.status,
      runGroup: twin.runGroupName,
      runGroupKind: twin.runGroupKind,
    })),
    choices: choices.map((choice) => ({
      node: choice.node,
      bizdate: choice.bizdate,
      id: encodeDayId('inst', choice),
      scheduledTime: choice.scheduledAt,
      status: choice.status,
      runGroup: choice.runGroupName,
    })),
    missing: missing && missingView(missing),
  };
}

function missingView({
  counts,
  cycles,
  unchecked,
}: NonNullable<BackfillForeseen['missing']>): object {
  return {
    counts: {
      noRecord: counts.no_record,
      goneAtSource: counts.gone_at_source,
      unchecked: counts.unchecked,
    },
    cycles: cycles.map(({ node, bizdate, scheduledAt, reason, output }) => ({
      node,
      bizdate,
      scheduledTime: scheduledAt,
      reason,
      dataSource: output?.dataSource ?? null,
      table: output?.tableName ?? null,
      partition: output?.partition ?? null,
    })),
    uncheckedTables: unchecked.map(
      ({ resourceGroup, dataSource, table, partitions, code, detail }) => ({
        resourceGroup,
        dataSource,
        table,
        partitions: partitions.length,
        code,
        detail,
      }),
    ),
  };
}
