import { type KeyboardEvent, useState } from 'react';

import { nextBar } from './next-bar.ts';
import type { TimelineRow } from './row-model.ts';
import type { TimelineScene } from './timeline-scene.ts';

const PAGE_ROWS = 20;

export interface RowFocus {
  /** The place of the row that the Tab key reaches. */
  readonly focused: number;
  /** Its instance that the arrows have come to. */
  readonly at: number | undefined;
  readonly focus: (row: TimelineRow, at: number | undefined) => void;
  /** Opens an instance, folds a group, or shows a lane of tiles alone. */
  readonly act: (row: TimelineRow, at: number | undefined) => void;
  /** Chooses a bar for an operation, or all bars of a group. */
  readonly choose: (row: TimelineRow, at: number | undefined, isRange: boolean) => void;
  readonly onKeyDown: (event: KeyboardEvent) => void;
}

/** Which row and bar the keyboard is at: up and down go by rows, left and right by bars or fold. */
export function useRowFocus({
  scene,
  onOpen,
  onGroup,
  reveal,
}: {
  readonly scene: TimelineScene;
  readonly onOpen: (instance: string) => void;
  readonly onGroup: (key: string) => void;
  /** Scrolls to a row and gives it the focus. */
  readonly reveal: (place: number) => void;
}): RowFocus {
  const { rows } = scene;
  const [at, setAt] = useState<{ key: string; at: number | undefined }>();
  const focused = Math.max(
    0,
    rows.findIndex(({ key }) => key === at?.key),
  );
  const focus: RowFocus['focus'] = (row, bar) => setAt({ key: row.key, at: bar });
  const goTo = (place: number, bar?: number): void => {
    const row = rows[place];
    if (row === undefined) return;
    focus(row, bar);
    scene.hover(bar ?? nextBar(scene, row, undefined, 0));
    reveal(place);
  };
  const act: RowFocus['act'] = (row, bar) => {
    const id = bar === undefined ? undefined : scene.data?.bars?.ids[bar];
    if (id !== undefined) onOpen(id);
    else if (row.kind === 'group' && scene.data?.tiles !== undefined) onGroup(row.key);
    else if (row.kind === 'group') scene.toggle(row.key);
  };
  const choose: RowFocus['choose'] = (row, bar, isRange) => {
    if (row.kind === 'group') scene.chooseWhere({ group: row.group });
    else if (bar !== undefined) scene.chooseBar(bar, isRange);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const row = rows[focused];
    if (row === undefined || event.altKey) return;
    if (event.ctrlKey || event.metaKey) {
      if (event.code !== 'KeyA') return;
      scene.chooseWhere({});
      event.preventDefault();
      return;
    }
    const bar = nextBar(scene, row, at?.at, 0);
    const place = placeAfter(event.key, focused, rows.length);
    const side = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (place !== undefined) goTo(place);
    else if (event.code === 'KeyX') choose(row, bar, event.shiftKey);
    else if (event.key === 'Enter' || event.key === ' ') act(row, bar);
    else if (side !== undefined && row.kind === 'group') foldTo(scene, row, side === -1);
    else if (side !== undefined) goTo(focused, nextBar(scene, row, bar, side));
    else return;
    event.preventDefault();
  };
  return { focused, at: at?.at, focus, act, choose, onKeyDown };
}

function placeAfter(key: string, place: number, rows: number): number | undefined {
  if (key === 'Home') return 0;
  if (key === 'End') return rows - 1;
  const step = { ArrowUp: -1, ArrowDown: 1, PageUp: -PAGE_ROWS, PageDown: PAGE_ROWS }[key];
  return step === undefined ? undefined : Math.min(rows - 1, Math.max(0, place + step));
}

function foldTo(scene: TimelineScene, row: TimelineRow, isFolded: boolean): void {
  if (row.kind === 'group' && scene.data?.tiles === undefined && row.isFolded !== isFolded)
    scene.toggle(row.key);
}
