import type { NodeSpec, WorkflowSpec } from './workflow-spec.js';

/** One entry of `needs`, with what it leaves unsaid. */
export interface Need {
  /** Absent: the node's own workflow. */
  readonly workflow?: string;
  readonly node: string;
  readonly cycle: 'same' | 'previous';
  /** Null: what its kind does. */
  readonly inheritsDryRun: boolean | null;
}

/** `ownName`: a need that names its own workflow is one within it. */
export function needsOf({ needs }: Pick<NodeSpec, 'needs'>, ownName: string): Need[] {
  return needs.map((need) => {
    if (typeof need === 'string') return { node: need, cycle: 'same', inheritsDryRun: null };
    const { workflow, node, cycle, inheritDryRun = null } = need;
    const isForeign = workflow !== undefined && workflow !== ownName;
    return { ...(isForeign ? { workflow } : {}), node, cycle, inheritsDryRun: inheritDryRun };
  });
}

/** A need of another workflow, and who has it. */
export interface ForeignNeed extends Need {
  readonly workflow: string;
  readonly downstream: string;
  /** Where it is written: `/nodes/3/needs/0`. */
  readonly pointer: string;
}

export function foreignNeedsOf(spec: WorkflowSpec, ownName: string): ForeignNeed[] {
  return spec.nodes.flatMap((node, index) =>
    needsOf(node, ownName).flatMap((need, at) => {
      const { workflow } = need;
      if (workflow === undefined) return [];
      const pointer = `/nodes/${index}/needs/${at}`;
      return [{ ...need, workflow, downstream: node.id, pointer }];
    }),
  );
}

/** A dependency of a node on another one, by their ids. */
export interface Dependency {
  readonly upstream: number;
  readonly downstream: number;
  readonly kind: 'same_cycle' | 'previous_cycle';
  readonly inheritsDryRun: boolean | null;
}

/**
 * Every dependency that a workflow declares, those on the previous cycle of children written out, each
 * (upstream, downstream, kind) once. `idOf` knows the nodes of the workflow and those it needs of others.
 */
export function dependenciesOf(
  spec: WorkflowSpec,
  ownName: string,
  idOf: (node: string, workflow?: string) => number | undefined,
): Dependency[] {
  const found = new Map<string, Dependency>();
  const add = (
    from: number | undefined,
    to: number | undefined,
    kind: Dependency['kind'],
    inheritsDryRun: boolean | null,
  ): void => {
    if (from === undefined || to === undefined) return;
    const key = `${from} ${to} ${kind}`;
    if (!found.has(key)) found.set(key, { upstream: from, downstream: to, kind, inheritsDryRun });
  };
  const waiting = new Set(spec.nodes.filter((node) => node.childDependence).map((node) => node.id));
  for (const node of spec.nodes) {
    const own = idOf(node.id);
    for (const { workflow, node: upstream, cycle, inheritsDryRun } of needsOf(node, ownName)) {
      const kind = cycle === 'same' ? 'same_cycle' : 'previous_cycle';
      add(idOf(upstream, workflow), own, kind, inheritsDryRun);
    }
  }
  if (waiting.size === 0) return [...found.values()];
  for (const node of spec.nodes) {
    for (const { workflow, node: upstream, cycle } of needsOf(node, ownName)) {
      if (workflow !== undefined || cycle !== 'same' || !waiting.has(upstream)) continue;
      add(idOf(node.id), idOf(upstream), 'previous_cycle', null);
    }
  }
  return [...found.values()];
}
