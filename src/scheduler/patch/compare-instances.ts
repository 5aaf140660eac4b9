import type { CycleRef } from '../../domain/graph/match-cycles.js';
import type { PlannedInstance } from '../../store/sql/insert-plan.sql.js';
import type { PlannedRow } from '../../store/sql/planned-instances.sql.js';
import type { Replanned } from '../../store/sql/replan-instances.sql.js';
import type { PlannedCycle, PlannedNode } from '../plan-edges.js';
import type { PatchChange } from './plan-patch.js';

/** A cycle of the patched workflow: its row, what the new version makes of it, or both. */
export interface Place {
  readonly nodeId: number;
  /** Absent: it is added. */
  readonly row?: PlannedRow;
  /** Absent: it stays as it is, because it is over or has begun. */
  readonly instance?: PlannedInstance;
}

export interface Compared {
  readonly places: readonly Place[];
  readonly cancelled: readonly PlannedRow[];
  /** The cycles of the nodes of the new version; the index is that of the place. */
  readonly own: ReadonlyMap<number, PlannedNode>;
}

/** Its time has come, or it has run: it cannot be planned otherwise any more. */
export function hasBegun(row: PlannedRow): boolean {
  const waits = row.status === 'waiting_upstream' || row.status === 'waiting_time';
  return !waits || row.attempt > 0 || row.run_number > 1;
}

/** `from`: what is scheduled before it, or has begun, is left alone and still counts as an upstream. */
export function compareInstances(
  rows: readonly PlannedRow[],
  planned: {
    readonly instances: readonly PlannedInstance[];
    readonly own: ReadonlyMap<number, PlannedNode>;
  },
  from: Date | undefined,
): Compared {
  const isLeft = (row: PlannedRow): boolean =>
    from !== undefined && (row.scheduled_at < from || hasBegun(row));
  const byCycle = new Map(rows.map((row) => [cycleKey(row.node_id, row.scheduled_at), row]));
  const places: Place[] = rows
    .filter((row) => isLeft(row) && planned.own.has(row.node_id))
    .map((row) => ({ nodeId: row.node_id, row }));
  const taken = new Set<PlannedRow>(rows.filter(isLeft));
  for (const instance of planned.instances) {
    if (from !== undefined && instance.scheduledAt < from) continue;
    const row = byCycle.get(cycleKey(instance.nodeId, instance.scheduledAt));
    if (row !== undefined && taken.has(row)) continue;
    if (row !== undefined) taken.add(row);
    const place = { nodeId: instance.nodeId, instance };
    places.push(row === undefined ? place : { ...place, row });
  }
  const cycles = new Map<number, PlannedCycle[]>();
  for (const [index, place] of places.entries()) {
    const own = cycles.get(place.nodeId) ?? [];
    cycles.set(place.nodeId, own);
    own.push({ ...cycleOf(place), index });
  }
  return {
    places,
    cancelled: rows.filter((row) => !taken.has(row)),
    own: new Map(
      [...planned.own].map(([nodeId, node]) => [
        nodeId,
        { ...node, cycles: (cycles.get(nodeId) ?? []).sort(byTime) },
      ]),
    ),
  };
}

function cycleKey(nodeId: number, at: Date): string {
  return `${nodeId} ${at.getTime()}`;
}

/** Of the row that the cycle of this place has, or below 0: it gets one when the patch is written. */
export function idOfPlace({ row }: Place, at: number): number {
  return row?.id ?? -1 - at;
}

function cycleOf({ row, instance }: Place): CycleRef {
  const scheduledAt = instance?.scheduledAt ?? row?.scheduled_at ?? new Date(0);
  return { scheduledAt, periodNo: instance?.periodNo ?? row?.period_no ?? 0 };
}

export function scheduledAtOf(place: Place): Date {
  return cycleOf(place).scheduledAt;
}

function byTime(a: CycleRef, b: CycleRef): number {
  return a.scheduledAt.getTime() - b.scheduledAt.getTime();
}

/**
 * What a planned instance becomes with another version. What a user has set by hand (priority, resource
 * group, freezing) stays unless the version itself says otherwise than the one before.
 */
export function replan(
  row: PlannedRow,
  instance: PlannedInstance,
): { readonly row: Replanned; readonly changes: PatchChange[] } {
  const dryRunReason = instance.dryRun ? instance.reason : null;
  const isOtherDryRun = row.dry_run_reason !== dryRunReason;
  const isOtherFreeze = (row.planned_schedule_type === 'frozen') !== instance.frozen;
  const isOtherPriority = row.planned_priority !== instance.priority;
  const isOtherGroup = row.planned_resource_group_id !== instance.resourceGroupId;
  const parameters = instance.parameters(row.id);
  const isChanged: Readonly<Partial<Record<PatchChange, boolean>>> = {
    parameters: textOf(row.parameters) !== textOf(parameters),
    node_type: row.node_type !== instance.nodeType,
    period_no: row.period_no !== instance.periodNo,
    priority: isOtherPriority,
    resource_group: isOtherGroup,
    slots: row.planned_slots !== instance.slots,
    dry_run: isOtherDryRun,
    frozen: isOtherFreeze,
  };
  return {
    changes: Object.entries(isChanged).flatMap(([change, is]) =>
      is ? [change as PatchChange] : [],
    ),
    row: {
      id: row.id,
      versionId: instance.versionId,
      nodeType: instance.nodeType,
      periodNo: instance.periodNo,
      priority: isOtherPriority ? instance.priority : row.priority,
      resourceGroupId: isOtherGroup ? instance.resourceGroupId : row.resource_group_id,
      slots: instance.slots,
      frozen: isOtherFreeze ? instance.frozen || row.node_frozen : row.frozen,
      dryRun: isOtherDryRun ? instance.dryRun : row.dry_run,
      reason: isOtherDryRun ? instance.reason : row.reason,
      dryRunReason,
      parameters,
    },
  };
}

function textOf(parameters: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1)));
}
