import { type RefObject, useEffect, useRef } from 'react';

import { rowAt, instanceAt } from './hit-test.ts';
import { useHover } from './hover-tip.tsx';
import type { TimelineChartLoop } from './timeline-chart-loop.ts';
import type { TimelineScene } from './timeline-scene.ts';
import { timeAt } from './view-window.ts';

interface Gestures {
  readonly scene: TimelineScene;
  readonly loop: TimelineChartLoop | undefined;
  readonly scroller: RefObject<HTMLElement | null>;
  readonly plot: RefObject<HTMLElement | null>;
  readonly onOpen: (instance: string) => void;
  readonly onGroup: (key: string) => void;
}

const DRAG_PX = 4;
/** A click waits this long for a second one. */
const CLICK_MS = 220;
const LINE_PX = 16;

/**
 * Wheel and pointer over the canvas. The plain wheel stays with the scroll container; Shift moves in
 * time, Ctrl or Cmd (which a pinch on a touchpad sends too) zooms at the cursor. A click with one of them
 * chooses the bar, with Shift all up to it.
 */
export function useChartGestures(gestures: Gestures): void {
  const latest = useRef(gestures);
  latest.current = gestures;
  const { loop, plot } = gestures;
  useEffect(() => {
    const element = plot.current;
    if (element === null || loop === undefined) return;
    const hand = new ChartHand(() => latest.current, loop);
    const { signal, abort } = abortable();
    element.addEventListener('wheel', (event) => hand.wheel(event), { passive: false, signal });
    element.addEventListener('pointerdown', (event) => hand.down(event, element), { signal });
    element.addEventListener('pointermove', (event) => hand.move(event), { signal });
    element.addEventListener('pointerup', (event) => hand.up(event), { signal });
    element.addEventListener('pointercancel', () => hand.leave(), { signal });
    element.addEventListener('pointerleave', () => hand.leave(), { signal });
    element.addEventListener('dblclick', (event) => hand.double(event), { signal });
    return () => {
      hand.leave();
      abort();
    };
  }, [loop, plot]);
}

/** Whether a click chooses for an operation, instead of opening. */
export function isChoosing(event: {
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
}): boolean {
  return event.ctrlKey || event.metaKey || event.shiftKey;
}

function abortable(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

class ChartHand {
  readonly #gestures: () => Gestures;
  readonly #loop: TimelineChartLoop;
  #drag: { x: number; y: number; isMoving: boolean } | undefined;
  #click: ReturnType<typeof setTimeout> | undefined;

  constructor(gestures: () => Gestures, loop: TimelineChartLoop) {
    this.#gestures = gestures;
    this.#loop = loop;
  }

  wheel(event: WheelEvent): void {
    // Another bar comes under the cursor, which stands still.
    requestAnimationFrame(() => this.#drag === undefined && this.#hover(event));
    const { scene } = this.#gestures();
    const { width, view } = this.#loop.shown();
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      scene.zoom(timeAt(view, width, this.#point(event).x), Math.exp(event.deltaY * unit * 0.0025));
      return;
    }
    const isSideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (!isSideways) return;
    event.preventDefault();
    const px = (event.deltaX === 0 ? event.deltaY : event.deltaX) * unit;
    scene.panBy((px / width) * (view.to - view.from));
  }

  down(event: PointerEvent, element: HTMLElement): void {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    this.#drag = { x: event.clientX, y: event.clientY, isMoving: false };
  }

  move(event: PointerEvent): void {
    if (this.#drag === undefined) return this.#hover(event);
    const { scene, scroller } = this.#gestures();
    const { width, view } = this.#loop.shown();
    const x = event.clientX - this.#drag.x;
    const y = event.clientY - this.#drag.y;
    if (!this.#drag.isMoving && Math.hypot(x, y) < DRAG_PX) return;
    this.#drag = { x: event.clientX, y: event.clientY, isMoving: true };
    useHover.setState({ at: undefined });
    scene.panBy((-x / width) * (view.to - view.from));
    scroller.current?.scrollBy(0, -y);
  }

  up(event: PointerEvent): void {
    const wasMoving = this.#drag?.isMoving === true;
    this.#drag = undefined;
    if (wasMoving || event.button !== 0) return;
    const { x, y } = this.#point(event);
    const shown = this.#loop.shown();
    const at = instanceAt(shown, x, y);
    const id = at === undefined ? undefined : shown.bars?.ids[at];
    const row = rowAt(shown, y);
    clearTimeout(this.#click);
    if (isChoosing(event)) {
      if (at !== undefined) this.#gestures().scene.chooseBar(at, event.shiftKey);
      return;
    }
    this.#click = setTimeout(() => {
      const { scene, onOpen, onGroup } = this.#gestures();
      if (id !== undefined) onOpen(id);
      else if (row?.kind === 'group' && shown.tiles !== undefined) onGroup(row.key);
      else if (row?.kind === 'group') scene.toggle(row.key);
    }, CLICK_MS);
  }

  double(event: MouseEvent): void {
    clearTimeout(this.#click);
    const { x, y } = this.#point(event);
    const at = instanceAt(this.#loop.shown(), x, y);
    if (at !== undefined) this.#gestures().scene.fitInstance(at);
  }

  leave(): void {
    this.#drag = undefined;
    useHover.setState({ at: undefined });
    this.#gestures().scene.hover(undefined);
  }

  #hover(event: MouseEvent): void {
    const { x, y } = this.#point(event);
    const at = instanceAt(this.#loop.shown(), x, y);
    this.#gestures().scene.hover(at);
    if (at !== undefined || useHover.getState().at !== undefined)
      useHover.setState({ at, x: event.clientX, y: event.clientY });
  }

  /** Where an event is on the canvas, which stands still while its rows are scrolled. */
  #point(event: MouseEvent): { x: number; y: number } {
    const box = this.#loop.box();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }
}
