import {
  NOTHING_SELECTED,
  type Selection,
  selectRange,
  toggleAll,
  toggleRow,
} from '../instances/selection.ts';
import type { Status } from '../instances/instances-api.ts';
import type { Operand } from '../instances/operations.ts';
import type { BarStore } from './bar-store.ts';
import type { StateMask, TimelineRow } from './row-model.ts';

/** What of the scene can be chosen: what a viewer sees, folded groups left out. */
export interface Choosable {
  readonly bars: BarStore;
  readonly rows: readonly TimelineRow[];
  readonly mask: StateMask;
}

/**
 * The bars that are chosen for an operation. By id, so that they outlive an answer, and as one byte a bar,
 * because the canvas asks for every bar in sight.
 */
export class BarChoice {
  #selection: Selection = NOTHING_SELECTED;
  #marks = new Uint8Array(0);

  get size(): number {
    return this.#selection.ids.size;
  }

  /** 1 where the bar is chosen. */
  get marks(): Uint8Array {
    return this.#marks;
  }

  has(at: number): boolean {
    return this.#marks[at] === 1;
  }

  /** Takes the bars of another answer. */
  renew(bars: BarStore | undefined): void {
    this.#marks = new Uint8Array(bars?.size ?? 0);
    if (bars === undefined) return;
    for (const id of this.#selection.ids) {
      const at = bars.indexOf(id);
      if (at !== undefined) this.#marks[at] = 1;
    }
  }

  /** The bar alone, or all from the one before to it, in the order of `ids`. */
  toggle(bars: BarStore, at: number, range?: readonly string[]): void {
    const id = bars.ids[at]!;
    this.#take(
      bars,
      range === undefined
        ? toggleRow(this.#selection, id)
        : selectRange(this.#selection, range, id),
    );
  }

  /** All of `ids` beside what is chosen, or none of them where all are. */
  toggleAll(bars: BarStore, ids: readonly string[]): void {
    this.#take(bars, toggleAll(this.#selection, ids));
  }

  clear(): void {
    this.#selection = NOTHING_SELECTED;
    this.#marks.fill(0);
  }

  /** What is chosen and seen, for the operations. */
  shown({ bars, mask }: Pick<Choosable, 'bars' | 'mask'>): Operand[] {
    const operands: Operand[] = [];
    for (const id of this.#selection.ids) {
      const at = bars.indexOf(id);
      if (at === undefined || mask[bars.state[at]!] !== 1) continue;
      const status = bars.statuses[at]! as Status;
      operands.push({ id, status, frozen: bars.frozen[at] === 1 });
    }
    return operands;
  }

  #take(bars: BarStore, selection: Selection): void {
    this.#selection = selection;
    this.renew(bars);
  }
}

/** The bars that are seen, row after row and in each by time: what a range goes by. */
export function idsInRows({ bars, rows, mask }: Choosable): string[] {
  const ids: string[] = [];
  for (const row of rows) {
    if (row.kind !== 'node') continue;
    for (const at of bars.ofNode[row.node]!)
      if (mask[bars.state[at]!] === 1) ids.push(bars.ids[at]!);
  }
  return ids;
}

/** The bars of a group or of a state that the filters leave, folded or not. */
export function idsWhere(
  { bars, mask }: Pick<Choosable, 'bars' | 'mask'>,
  { group, state }: { readonly group?: number; readonly state?: number },
): string[] {
  const ids: string[] = [];
  for (let at = 0; at < bars.size; at++) {
    if (mask[bars.state[at]!] !== 1) continue;
    if (group !== undefined && bars.nodes[bars.node[at]!]?.group !== group) continue;
    if (state === undefined || bars.state[at] === state) ids.push(bars.ids[at]!);
  }
  return ids;
}
