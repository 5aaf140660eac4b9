import { type Bizdate, lastBizdate, parseBizdate } from '../domain/calendar/bizdate.js';
import { MillraceError } from '../domain/errors.js';
import type { EdgeFinding } from '../domain/graph/edge-finding.js';
import type { EdgeKind } from '../domain/instance/status.js';
import type { Sql } from '../store/database.js';
import { foreignNodesOf } from './check-dependencies.js';
import {
  type ConcreteEdge,
  concreteEdges,
  type EarlierCycle,
  type EdgeScene,
  type OwnCycle,
} from './concrete-edges.js';
import { findingsOf } from './edge-findings.js';
import { readSpec } from './read-spec.js';

export interface EdgePreviewOptions {
  readonly workflowId: number;
  /** The last one that is over without it. */
  readonly bizdate?: string | undefined;
  /** What to look at: a draft that was not saved, or a version; the saved draft without both. */
  readonly draft?: unknown;
  readonly version?: number | undefined;
}

/** One end of a concrete edge. */
export interface PreviewedCycle {
  /** Null: of the workflow itself. */
  readonly workflow: string | null;
  readonly node: string;
  readonly bizdate: string;
  readonly periodNo: number;
  readonly scheduledAt: Date;
}

export interface PreviewedEdge {
  readonly downstream: PreviewedCycle;
  readonly upstream: PreviewedCycle;
  readonly kind: EdgeKind;
  readonly inheritsDryRun: boolean;
}

export interface EdgePreview {
  readonly bizdate: string;
  readonly timezone: string;
  /** Instances of each node on that business date, with what it waits for. */
  readonly nodes: readonly { readonly node: string; readonly instances: number }[];
  /** By downstream time; cut at {@link MAX_PREVIEWED_EDGES}. */
  readonly edges: readonly PreviewedEdge[];
  readonly edgesTotal: number;
  readonly findings: readonly EdgeFinding[];
}

const MAX_PREVIEWED_EDGES = 5000;

/** The edges that a draft or a version would get on one business date; changes nothing. */
export async function previewEdges(
  sql: Sql,
  now: Date,
  options: EdgePreviewOptions,
): Promise<EdgePreview> {
  const scene = await sceneOf(sql, now, options);
  const foreign = await foreignNodesOf(sql, scene, scene.spec);
  const found = await concreteEdges(sql, scene, foreign);
  const { edges, cycles } = found;
  const names = new Map<number, { workflow: string; node: string }>();
  for (const each of foreign.values()) if (each.nodeId !== null) names.set(each.nodeId, each);
  const shown = edges
    .toSorted(
      (a, b) =>
        a.down.scheduledAt.getTime() - b.down.scheduledAt.getTime() || a.down.index - b.down.index,
    )
    .slice(0, MAX_PREVIEWED_EDGES);
  return {
    bizdate: scene.bizdate,
    timezone: scene.timezone,
    nodes: scene.spec.nodes.map(({ id }) => ({ node: id, instances: cycles.get(id)?.length ?? 0 })),
    edges: shown.map((edge) => ({
      downstream: ownEnd(edge.down, scene.bizdate),
      upstream: upstreamEnd(edge.up, scene.bizdate, names),
      kind: edge.kind,
      inheritsDryRun: edge.inheritsDryRun ?? edge.kind === 'same_cycle',
    })),
    edgesTotal: edges.length,
    findings: await findingsOf(sql, scene, foreign, found),
  };
}

async function sceneOf(sql: Sql, now: Date, options: EdgePreviewOptions): Promise<EdgeScene> {
  const [row] = await sql.rows<{
    id: number;
    workspaceId: number;
    name: string;
    timezone: string;
    draft: unknown;
    spec: unknown;
  }>(
    `SELECT w.id, w.workspace_id AS "workspaceId", w.name, w.draft, s.timezone, v.spec
       FROM workflow w JOIN workspace s ON s.id = w.workspace_id
       LEFT JOIN workflow_version v ON v.workflow_id = w.id AND v.version = $2
      WHERE w.id = $1`,
    [options.workflowId, options.version ?? null],
  );
  if (row === undefined)
    throw new MillraceError('MR-A104', `There is no workflow ${options.workflowId}.`);
  if (options.version !== undefined && row.spec === null)
    throw new MillraceError('MR-A104', `"${row.name}" has no version ${options.version}.`);
  const spec = readSpec(options.draft ?? row.spec ?? row.draft);
  const timezone = spec.timezone ?? row.timezone;
  const { id, workspaceId, name } = row;
  const bizdate =
    options.bizdate === undefined ? lastBizdate(now, timezone) : parseBizdate(options.bizdate);
  return { id, workspaceId, name, spec, timezone, bizdate };
}

function ownEnd(cycle: OwnCycle | EarlierCycle, bizdate: Bizdate): PreviewedCycle {
  const { node, periodNo, scheduledAt } = cycle;
  return { workflow: null, node, bizdate, periodNo, scheduledAt };
}

function upstreamEnd(
  up: ConcreteEdge['up'],
  bizdate: Bizdate,
  names: ReadonlyMap<number, { workflow: string; node: string }>,
): PreviewedCycle {
  if ('index' in up) return ownEnd(up, bizdate);
  if ('node' in up) return ownEnd(up, up.bizdate);
  const { workflow = null, node = String(up.nodeId) } = names.get(up.nodeId) ?? {};
  return {
    workflow,
    node,
    bizdate: up.bizdate,
    periodNo: up.periodNo,
    scheduledAt: up.scheduledAt,
  };
}
