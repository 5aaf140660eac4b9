import { type FieldError, MillraceError } from '../domain/errors.js';
import type { EdgeFinding } from '../domain/graph/edge-finding.js';
import type { Sql } from '../store/database.js';
import { loadForgetfulParents } from '../store/sql/load-foreign-nodes.sql.js';
import { dependencyProblems, type ForeignNodes } from './check-dependencies.js';
import { checkOwnGraph } from './check-workflow.js';
import type { ConcreteEdge, ConcreteEdges, EdgeScene } from './concrete-edges.js';
import { findInstanceLoop } from './find-instance-loop.js';
import { foreignNeedsOf } from './needs-of.js';
import { hasTimes, nodeSchedule } from './schedule-spec.js';

const MAX_LOOP_SHOWN = 12;
const MAX_NAMES_SHOWN = 5;

/** What is odd about the edges that a workflow would get. */
export async function findingsOf(
  sql: Sql,
  scene: EdgeScene,
  foreign: ForeignNodes,
  found: ConcreteEdges,
): Promise<EdgeFinding[]> {
  const structural = await structuralFindings(sql, scene, foreign);
  const hasLoop = structural.some(({ finding }) => finding === 'loop');
  return [
    ...structural,
    // The nodes that it names are those of its instances too.
    ...(hasLoop ? [] : await loopFindings(sql, scene, foreign)),
    ...isolatedFindings(found),
    ...emptyFindings(scene, foreign, found),
    ...timesFindings(scene),
    ...(await childFindings(sql, scene, foreign)),
  ];
}

/**
 * MR-S124 when instances of the workflow, and of others with it, would wait for each other for ever; of the
 * business dates from that of the scene on so many are looked at, a year without `days`.
 */
export async function refuseLoops(
  sql: Sql,
  scene: EdgeScene,
  foreign: ForeignNodes,
  horizon: { readonly days?: number } = {},
): Promise<void> {
  const loop = await findInstanceLoop(sql, scene, foreign, horizon);
  if (loop !== undefined) throw new MillraceError('MR-S124', loopDetail(loop));
}

async function structuralFindings(
  sql: Sql,
  scene: EdgeScene,
  foreign: ForeignNodes,
): Promise<EdgeFinding[]> {
  const problems: (FieldError & { code: string })[] = [];
  try {
    checkOwnGraph(scene.spec, scene.name);
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    problems.push({ code: error.code, pointer: '/nodes', detail: error.detail });
  }
  problems.push(...(await dependencyProblems(sql, scene, scene.spec, foreign)));
  return problems.flatMap(({ code, pointer, detail }): EdgeFinding[] => {
    const at = /^\/nodes\/(\d+)\//.exec(pointer)?.[1];
    const node = at === undefined ? null : (scene.spec.nodes[Number(at)]?.id ?? null);
    if (code === 'MR-S101' || code === 'MR-S122') return [{ finding: 'loop', node, detail }];
    // What others need of this one is no matter of its own edges; submitting tells it.
    return code === 'MR-S123' ? [] : [{ finding: 'unknown_upstream', node, detail }];
  });
}

async function loopFindings(
  sql: Sql,
  scene: EdgeScene,
  foreign: ForeignNodes,
): Promise<EdgeFinding[]> {
  const loop = await findInstanceLoop(sql, scene, foreign);
  return loop === undefined ? [] : [{ finding: 'loop', node: null, detail: loopDetail(loop) }];
}

function loopDetail(loop: readonly string[]): string {
  const half = MAX_LOOP_SHOWN / 2;
  const shown =
    loop.length <= MAX_LOOP_SHOWN
      ? loop
      : [...loop.slice(0, half), `(${loop.length - MAX_LOOP_SHOWN} more)`, ...loop.slice(-half)];
  return `${shown.join(' waits for ')}.`;
}

function isolatedFindings({ dependencies, names }: ConcreteEdges): EdgeFinding[] {
  if (names.size < 2) return [];
  const joined = new Set(
    dependencies.flatMap(({ upstream, downstream }) => [upstream, downstream]),
  );
  return [...names]
    .filter(([id]) => !joined.has(id))
    .map(([, node]) => ({
      finding: 'isolated',
      node,
      detail: `"${node}" waits for no other node, and none waits for it.`,
    }));
}

function timesFindings({ spec }: EdgeScene): EdgeFinding[] {
  const without = spec.nodes.filter(
    ({ schedule }) => !hasTimes(nodeSchedule(schedule, spec.schedule)),
  );
  if (without.length === 0) return [];
  const names = without.slice(0, MAX_NAMES_SHOWN).map(({ id }) => `"${id}"`);
  const more = without.length > names.length ? ` and ${without.length - names.length} more` : '';
  const detail = `Neither the workflow nor the node says when to run ${names.join(', ')}${more}: each day at 00:00.`;
  return [{ finding: 'default_times', node: null, detail }];
}

/** What is submitted later than the parent that should wait for it is not waited for by itself. */
async function childFindings(
  sql: Sql,
  { id, name, spec }: EdgeScene,
  foreign: ForeignNodes,
): Promise<EdgeFinding[]> {
  const pairs = foreignNeedsOf(spec, name).flatMap(({ workflow, node, cycle, downstream }) => {
    const parentId = foreign.get(`${workflow}/${node}`)?.nodeId ?? null;
    return cycle === 'same' && parentId !== null ? [{ parentId, child: downstream }] : [];
  });
  const found = await loadForgetfulParents(sql, id, pairs);
  return found.map(({ workflow, parent, child }) => ({
    finding: 'child_not_awaited',
    node: child,
    detail: `"${workflow}/${parent}" waits for the previous cycle of its children, and not for "${child}": submit "${workflow}" again after this workflow.`,
  }));
}

function emptyFindings(
  scene: EdgeScene,
  foreign: ForeignNodes,
  { edges, cycles, dependencies, names }: ConcreteEdges,
): EdgeFinding[] {
  const met = new Set(edges.map(({ down, up, kind }) => `${down.node} ${upstreamKey(up)} ${kind}`));
  const others = new Map([...foreign.values()].map((each) => [each.nodeId, each]));
  return dependencies.flatMap(({ upstream, downstream, kind }): EdgeFinding[] => {
    const node = names.get(downstream) ?? '';
    const own = names.get(upstream);
    if (cycles.get(node)?.length === 0 || met.has(`${node} ${own ?? upstream} ${kind}`)) return [];
    const other = others.get(upstream);
    const name = own ?? `${other?.workflow}/${other?.node}`;
    const first = other?.firstBizdate ?? '';
    if (other?.isScheduled === false) {
      const detail = `"${name}" is not scheduled: "${node}" does not wait for it.`;
      return [{ finding: 'upstream_not_planned', node, detail }];
    }
    if (first > scene.bizdate) {
      const detail = `"${name}" is planned from ${first} and "${node}" for ${scene.bizdate}: it does not wait for it yet.`;
      return [{ finding: 'upstream_not_planned', node, detail }];
    }
    const detail = `"${name}" has no cycle that "${node}" could wait for on ${scene.bizdate}.`;
    return [{ finding: 'no_upstream_cycle', node, detail }];
  });
}

function upstreamKey(up: ConcreteEdge['up']): string {
  return 'node' in up ? up.node : String(up.nodeId);
}
