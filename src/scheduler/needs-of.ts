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

/** How a node depends on its own previous cycle, or on that of its children; undefined: not at all. */
export function ownDependence(
  written: NodeSpec['selfDependence'],
): Pick<Need, 'inheritsDryRun'> | undefined {
  if (written === false) return undefined;
  return { inheritsDryRun: written === true ? null : (written.inheritDryRun ?? null) };
}

/** What {@link edgesOf} has to know of a node's dependence on itself. */
export function selfDependenceOf({ selfDependence }: Pick<NodeSpec, 'selfDependence'>): {
  readonly selfDependent: boolean;
  readonly selfInheritsDryRun: boolean | null;
} {
  const own = ownDependence(selfDependence);
  return { selfDependent: own !== undefined, selfInheritsDryRun: own?.inheritsDryRun ?? null };
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

export interface DeclaredDependency extends Dependency {
  /** Nobody has written it: a node waits for the previous cycle of its children. */
  readonly ofChildren: boolean;
}

/** A node of another workflow that needs nodes of this one which wait for their children. */
interface ForeignChild {
  readonly nodeId: number | null;
  readonly parents: readonly string[];
}

/**
 * Every dependency that a workflow declares, those on the previous cycle of children written out, each
 * (upstream, downstream, kind) once. `idOf` knows the nodes of the workflow and those it needs of others;
 * `foreign` are the children in other workflows.
 */
export function dependenciesOf(
  spec: WorkflowSpec,
  ownName: string,
  idOf: (node: string, workflow?: string) => number | undefined,
  foreign: Iterable<ForeignChild> = [],
): DeclaredDependency[] {
  const found = new Map<string, DeclaredDependency>();
  const add = (
    from: number | undefined,
    to: number | undefined,
    kind: Dependency['kind'],
    inheritsDryRun: boolean | null,
    ofChildren = false,
  ): void => {
    if (from === undefined || to === undefined) return;
    const key = `${from} ${to} ${kind}`;
    const dependency = { upstream: from, downstream: to, kind, inheritsDryRun, ofChildren };
    if (!found.has(key)) found.set(key, dependency);
  };
  const waiting = new Map(
    spec.nodes.flatMap((node) => {
      const children = ownDependence(node.childDependence);
      return children === undefined ? [] : [[node.id, children]];
    }),
  );
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
      const children = waiting.get(upstream);
      if (workflow !== undefined || cycle !== 'same' || children === undefined) continue;
      add(idOf(node.id), idOf(upstream), 'previous_cycle', children.inheritsDryRun, true);
    }
  }
  for (const { nodeId, parents } of foreign) {
    for (const parent of parents) {
      const inherits = waiting.get(parent)?.inheritsDryRun ?? null;
      add(nodeId ?? undefined, idOf(parent), 'previous_cycle', inherits, true);
    }
  }
  return [...found.values()];
}

/** Whose children are waited for. */
export function parentsOf(spec: WorkflowSpec): string[] {
  return spec.nodes.filter((node) => ownDependence(node.childDependence)).map((node) => node.id);
}
