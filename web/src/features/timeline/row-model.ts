import { VISIBLE_STATES } from '../../ui/visible-state.ts';
import type { BarStore, TimelineAnswer } from './bar-store.ts';

/** The height of every row in px, in the gutter and on the canvas. */
export const ROW_HEIGHT = 26;

export type TimelineRow =
  | {
      readonly kind: 'group';
      readonly key: string;
      readonly group: number;
      readonly label: string;
      readonly count: number;
      readonly isFolded: boolean;
    }
  | { readonly kind: 'node'; readonly key: string; readonly group: number; readonly node: number };

/** Which visible states are shown, by place. */
export type StateMask = Uint8Array;

/** A mask of the states; none chosen shows all. */
export function stateMask(states: readonly string[]): StateMask {
  return Uint8Array.from(VISIBLE_STATES, (state) =>
    states.length === 0 || states.includes(state) ? 1 : 0,
  );
}

/** How many instances of a node the mask shows. */
export function shownOfNode(bars: BarStore, node: number, mask: StateMask): number {
  const first = node * VISIBLE_STATES.length;
  let shown = 0;
  for (let state = 0; state < mask.length; state++)
    if (mask[state] === 1) shown += bars.nodeCounts[first + state]!;
  return shown;
}

/**
 * The rows of gutter and canvas, one list for both so that they cannot come apart: a group, and below it
 * its nodes that have something to show, unless it is folded.
 */
export function rowsOf(
  answer: TimelineAnswer,
  bars: BarStore | undefined,
  view: { readonly folded: ReadonlySet<string>; readonly mask: StateMask },
): TimelineRow[] {
  if (bars === undefined)
    return answer.groups.map(({ key, label, count }, group) => ({
      kind: 'group',
      key,
      group,
      label,
      count,
      isFolded: true,
    }));
  const nodesOf: number[][] = answer.groups.map(() => []);
  const shownOf = answer.groups.map(() => 0);
  for (const [node, { group }] of bars.nodes.entries()) {
    const shown = shownOfNode(bars, node, view.mask);
    if (shown === 0) continue;
    nodesOf[group]!.push(node);
    shownOf[group]! += shown;
  }
  const rows: TimelineRow[] = [];
  for (const [group, { key, label }] of answer.groups.entries()) {
    const nodes = nodesOf[group]!;
    if (nodes.length === 0) continue;
    const isFolded = view.folded.has(key);
    rows.push({ kind: 'group', key, group, label, count: shownOf[group]!, isFolded });
    if (isFolded) continue;
    for (const node of nodes)
      rows.push({ kind: 'node', key: `${key} ${bars.nodes[node]!.id}`, group, node });
  }
  return rows;
}
