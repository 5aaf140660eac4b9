import { below, type DayWorkflow, draftOf, randomWorkflow } from '../simulated-day/day-world.js';

type Random = () => number;

/** A plan that is sealed, and a version of one of its workflows that comes after it. */
export interface PatchWorld {
  /** Name and draft, in the order in which they are submitted: each needs those before it alone. */
  readonly workflows: readonly (readonly [name: string, draft: object])[];
  readonly patched: string;
  readonly draft: object;
  /** Zones far in the east have the next day planned as well. */
  readonly isLate: boolean;
}

/** Three to five workflows in mixed zones and periods, of which one is changed. */
export function randomPatchWorld(random: Random): PatchWorld {
  const workflows: DayWorkflow[] = [];
  const wanted = 3 + below(random, 3);
  while (workflows.length < wanted)
    workflows.push(randomWorkflow(`w${workflows.length}`, workflows, random));
  const at = below(random, wanted);
  const old = workflows[at] as DayWorkflow;
  const drafts = workflows.map((each) => [each.name, adorned(each, random)] as const);
  return {
    workflows: drafts,
    patched: old.name,
    draft: changed(drafts[at]?.[1] as Draft, old, workflows, random),
    isLate: random() < 0.5,
  };
}

interface Draft {
  readonly timezone: string;
  readonly nodes: readonly DraftNode[];
}

interface DraftNode {
  readonly id: string;
  readonly schedule: object;
  readonly needs: readonly { readonly workflow?: string; readonly node: string }[];
}

/** With what a patch can replace besides schedules and needs. */
function adorned(workflow: DayWorkflow, random: Random): Draft {
  const draft = draftOf(workflow) as Draft;
  return { ...draft, nodes: draft.nodes.map((node) => ({ ...node, ...adornment(random) })) };
}

function adornment(random: Random): object {
  return {
    priority: random() < 0.7 ? 1 : 7,
    parameters: random() < 0.7 ? { p: '$bizdate' } : { p: '${yyyy-mm-dd}', q: '$cyctime' },
    scheduleType: random() < 0.8 ? 'normal' : random() < 0.5 ? 'frozen' : 'dry_run',
    childDependence: random() < 0.1,
    slots: random() < 0.8 ? 1 : 2,
  };
}

/**
 * Some nodes stay, some are gone, some are others under the same name, some are new, and some have no
 * cycles any more. What another workflow needs cannot be gone.
 */
function changed(
  old: Draft,
  workflow: DayWorkflow,
  all: readonly DayWorkflow[],
  random: Random,
): Draft {
  const others = all.slice(0, all.indexOf(workflow));
  const fresh = adorned(
    { ...randomWorkflow(workflow.name, others, random), zone: workflow.zone },
    random,
  );
  const needed = new Set(
    all
      .filter((each) => each !== workflow)
      .flatMap(({ nodes }) => nodes.flatMap(({ needs }) => needs))
      .filter((need) => need.workflow === workflow)
      .map((need) => need.node.name),
  );
  const names = new Set([...old.nodes, ...fresh.nodes].map(({ id }) => id));
  const nodes = [...names].sort().flatMap((id): DraftNode[] => {
    const [was, is] = [old, fresh].map((each) => each.nodes.find((node) => node.id === id));
    if (was === undefined) return is === undefined ? [] : [is];
    const chance = random();
    if (chance < 0.3) return [was];
    if (chance < 0.5) return [{ ...was, ...adornment(random) }];
    if (chance < 0.7 && is !== undefined) return [is];
    if (chance < 0.85 || needed.has(id))
      return [{ ...was, schedule: { ...was.schedule, effectiveFrom: '2030-01-01' } }];
    return [];
  });
  const kept = nodes.length === 0 ? old.nodes.slice(0, 1) : nodes;
  const there = new Set(kept.map(({ id }) => id));
  return {
    ...old,
    nodes: kept.map((node) => ({
      ...node,
      // Nodes of a draft need those before them, so those of two drafts mixed wait in no circle either.
      needs: node.needs.filter((need) => need.workflow !== undefined || there.has(need.node)),
    })),
  };
}
