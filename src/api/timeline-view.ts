import { INSTANCE_STATUSES } from '../domain/instance/status.js';
import { encodeDayId, encodeId } from '../domain/ids.js';
import type { Timeline } from '../store/repositories/timeline-repository.js';
import type { TimelineBars } from '../store/sql/timeline-bars.sql.js';
import type { TimelineCount } from '../store/sql/timeline-counts.sql.js';
import type { TimelineGrouping } from '../store/sql/timeline-matches.js';
import type { TileGrid } from '../store/sql/timeline-tiles.sql.js';

/** Epoch ms. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WIDTHS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
];

/** Buckets of the smallest round width of which at most `buckets` cover the span. */
export function tileGrid({ from, to }: Span, buckets: number): TileGrid {
  const least = Math.max(1, (to - from) / buckets);
  const bucketMs = WIDTHS.find((width) => width >= least) ?? Math.ceil(least / DAY) * DAY;
  return { origin: Math.floor(from / bucketMs) * bucketMs, bucketMs };
}

const STATUS_PLACES = new Map<string, number>(
  INSTANCE_STATUSES.map((status, place) => [status, place]),
);

/** The part of the answer that bars and tiles have in common, and after it one of the two. */
export function timelineView(
  timeline: Timeline,
  { groupBy, span }: { readonly groupBy: TimelineGrouping; readonly span: Span },
): Record<string, unknown> {
  const { groups, places } = groupsOf(timeline, groupBy);
  const { bars, tiles } = timeline;
  return {
    lod: bars === undefined ? 'tiles' : 'bars',
    seq: timeline.seq,
    now: timeline.now.getTime(),
    ...span,
    total: sum(timeline.counts.map((each) => each.count)),
    counts: countsOf(timeline.counts),
    statuses: INSTANCE_STATUSES,
    groups,
    ...(bars && barsView(timeline, bars, { groupBy, places, origin: span.from })),
    ...(tiles && { tiles: tilesView(tiles, places) }),
  };
}

function tilesView(
  { grid, cells }: NonNullable<Timeline['tiles']>,
  places: ReadonlyMap<string | number, number>,
): object {
  const rows = cells
    .map((cell) => ({
      group: places.get(cell.group) ?? 0,
      bucket: cell.bucket,
      status: STATUS_PLACES.get(cell.status) ?? 0,
      count: cell.count,
    }))
    .sort((a, b) => a.group - b.group || a.bucket - b.bucket || a.status - b.status);
  return {
    ...grid,
    group: rows.map((row) => row.group),
    bucket: rows.map((row) => row.bucket),
    status: rows.map((row) => row.status),
    count: rows.map((row) => row.count),
  };
}

function groupsOf(
  { counts, groupNames }: Timeline,
  groupBy: TimelineGrouping,
): { groups: object[]; places: Map<string | number, number> } {
  const sizes = new Map<string | number, number>();
  for (const { group, count } of counts) sizes.set(group, (sizes.get(group) ?? 0) + count);
  const sorted = [...sizes]
    .map(([group, count]) => ({ group, count, label: groupNames.get(group) ?? String(group) }))
    .sort((a, b) => (a.label < b.label ? -1 : 1));
  return {
    groups: sorted.map(({ group, count, label }) => ({
      key: groupBy === 'workflow' ? encodeId('wf', Number(group)) : label,
      label,
      count,
    })),
    places: new Map(sorted.map(({ group }, place) => [group, place])),
  };
}

function countsOf(counts: readonly TimelineCount[]): Record<string, number> {
  const byStatus: Record<string, number> = {};
  for (const { status, count } of counts) byStatus[status] = (byStatus[status] ?? 0) + count;
  const frozen = sum(counts.map((each) => each.frozen));
  return frozen === 0 ? byStatus : { ...byStatus, frozen };
}

function barsView(
  { nodes = [], workflowNames = new Map<number, string>() }: Timeline,
  bars: TimelineBars,
  at: {
    readonly groupBy: TimelineGrouping;
    readonly places: ReadonlyMap<string | number, number>;
    readonly origin: number;
  },
): object {
  const workflows = new Map([...workflowNames.keys()].map((id, place) => [id, place]));
  const nodePlaces = new Map(nodes.map((node, place) => [node.id, place]));
  const offset = (ms: number): number => ms - at.origin;
  const later = (ms: number | null): number | null => (ms === null ? null : ms - at.origin);
  return {
    workflows: [...workflowNames].map(([id, name]) => ({ id: encodeId('wf', id), name })),
    nodes: nodes.map((node) => ({
      id: encodeId('node', node.id),
      name: node.name,
      type: node.type,
      workflow: workflows.get(node.workflowId),
      group: at.places.get(
        {
          workflow: node.workflowId,
          nodeType: node.type,
          resourceGroup: node.resourceGroupId,
        }[at.groupBy],
      ),
    })),
    inst: {
      id: bars.id.map((id, row) => encodeDayId('inst', { planDay: bars.planDay[row] ?? '', id })),
      node: bars.nodeId.map((id) => nodePlaces.get(id)),
      status: bars.status.map((status) => STATUS_PLACES.get(status)),
      frozen: bars.frozen,
      dryRun: bars.dryRun,
      attempt: bars.attempt,
      scheduled: bars.scheduled.map(offset),
      run: bars.run.map(offset),
      created: bars.created.map(offset),
      upstreamDone: bars.upstreamDone.map(later),
      ready: bars.ready.map(later),
      dispatched: bars.dispatched.map(later),
      started: bars.started.map(later),
      ended: bars.ended.map(later),
    },
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
