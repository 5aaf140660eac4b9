import {
  type BackfillGraph,
  type BackfillScope,
  subsetForBackfill,
} from '../../domain/graph/subset-for-backfill.js';
import { type GraphEdge, WorkflowGraph } from '../../domain/graph/workflow-graph.js';
import type { Sql } from '../../store/database.js';
import type { BackfillVersion, BackfillVersions } from './backfill-versions.js';
import type { BackfillNode } from './planned-backfill.js';

interface NodeRow extends Omit<BackfillNode, 'isAsked' | 'workflow'> {
  readonly name: string;
}

/** The nodes that a backfill has instances of, upstream first. */
export async function nodesInScope(
  tx: Sql,
  versions: BackfillVersions,
  scope: BackfillScope = { mode: 'workflow' },
): Promise<BackfillNode[]> {
  const ids = versions.map((version) => version.versionId);
  const rows = await tx.rows<NodeRow>(
    `SELECT n.id, n.name, nv.version_id AS "versionId", nv.self_dependence OR EXISTS (
              SELECT FROM edge e WHERE e.version_id = nv.version_id AND e.downstream_node_id = nv.node_id
                 AND e.kind = 'previous_cycle') AS "waitsForPrevious", nv.backfill = 'forbidden' AS "isForbidden"
       FROM node_version nv JOIN node n ON n.id = nv.node_id WHERE nv.version_id = ANY($1::bigint[])
      ORDER BY array_position($1::bigint[], nv.version_id), n.id`,
    [ids],
  );
  const byVersion = new Map(versions.map((version) => [version.versionId, version]));
  const own = versions[0];
  const nodes = rows.flatMap((row) => {
    const version = byVersion.get(row.versionId);
    return version === undefined
      ? []
      : [{ ...row, name: nameIn(row.name, version, own), workflow: version.name }];
  });
  const subset = subsetForBackfill(await graphOf(tx, ids, own, nodes), plainNames(scope, own));
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const isAsked = new Set(subset.run);
  return [...subset.run, ...subset.dryRun].flatMap((name) => {
    const node = byName.get(name);
    return node === undefined ? [] : [{ ...node, isAsked: isAsked.has(name) }];
  });
}

function nameIn(node: string, version: BackfillVersion, own: BackfillVersion): string {
  return version === own ? node : `${version.name}/${node}`;
}

/** A node of the workflow itself may be named in full too. */
function plainNames(scope: BackfillScope, own: BackfillVersion): BackfillScope {
  const prefix = `${own.name}/`;
  const plain = (names: readonly string[] = []): string[] =>
    names.map((name) => (name.startsWith(prefix) ? name.slice(prefix.length) : name));
  const lists = { also: plain(scope.also), except: plain(scope.except) };
  switch (scope.mode) {
    case 'workflow':
      return { ...scope, ...lists };
    case 'nodes':
      return { ...scope, ...lists, nodes: plain(scope.nodes) };
    case 'chain':
      return { ...scope, ...lists, from: plain(scope.from), to: plain(scope.to) };
    case 'all_downstream':
      return { ...scope, ...lists, roots: plain(scope.roots) };
  }
}

async function graphOf(
  tx: Sql,
  versionIds: readonly number[],
  own: BackfillVersion,
  nodes: readonly (NodeRow & { readonly name: string })[],
): Promise<BackfillGraph> {
  const rows = await tx.rows<{ up: number; down: number }>(
    // Ordered: the order of the nodes follows from it, which tokens and digests are made of.
    `SELECT upstream_node_id AS up, downstream_node_id AS down FROM edge
      WHERE version_id = ANY($1::bigint[]) AND kind = 'same_cycle'
      ORDER BY downstream_node_id, upstream_node_id`,
    [versionIds],
  );
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const edges: GraphEdge[] = [];
  const inner: GraphEdge[] = [];
  for (const { up, down } of rows) {
    const [from, to] = [byId.get(up), byId.get(down)];
    // An upstream of a workflow that takes no part.
    if (from === undefined || to === undefined) continue;
    const edge = { from: from.name, to: to.name };
    edges.push(edge);
    if (from.versionId === to.versionId) inner.push(edge);
  }
  const names = nodes.map((node) => node.name);
  const all = new WorkflowGraph(names, edges);
  return {
    all,
    within: inner.length === edges.length ? all : new WorkflowGraph(names, inner),
    own: nodes.filter(({ versionId }) => versionId === own.versionId).map(({ name }) => name),
  };
}
