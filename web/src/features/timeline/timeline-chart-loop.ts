import { formatTime } from '../../ui/time.ts';
import { collectBoxes } from './bar-box.ts';
import { canvasColours } from './canvas-colours.ts';
import { collect, Frame, type Shown } from './drawing.ts';
import { AXIS_PX, Painter } from './painter.ts';
import { RectList } from './rect-list.ts';
import { PLACE_OF_STATE } from './status-places.ts';
import { timeAxis } from './time-axis.ts';
import type { TimelineScene } from './timeline-scene.ts';
import { pan, xOf } from './view-window.ts';

export interface ChartElements {
  readonly scroller: HTMLElement;
  readonly bars: HTMLCanvasElement;
  readonly overlay: HTMLCanvasElement;
  readonly axis: HTMLCanvasElement;
}

const KEPT_FRAMES = 600;
const SECOND = 1_000;
/** Their bars grow, or move with the present. */
const UNFINISHED = (['upstream', 'time', 'resource', 'running', 'retry', 'frozen'] as const).map(
  (state) => PLACE_OF_STATE[state],
);

/**
 * Draws the scene: the bars when something of them changed, the overlay each second besides. Nothing is
 * drawn while nothing changes.
 */
export class TimelineChartLoop {
  zone = 'UTC';
  language = 'en';
  /** The ms of work of the last frames, for the bench. */
  readonly work: number[] = [];
  frames = 0;
  readonly #scene: TimelineScene;
  readonly #elements: ChartElements;
  readonly #frame = new Frame();
  readonly #boxes = { chosen: new RectList(), single: new RectList() };
  readonly #single = new Set<number>();
  readonly #ends: (() => void)[] = [];
  #painter: Painter;
  #handle: number | undefined;
  #isDirty = true;
  #size = { width: 0, height: 0 };

  constructor(scene: TimelineScene, elements: ChartElements) {
    this.#scene = scene;
    this.#elements = elements;
    this.#painter = this.#newPainter();
    const onScroll = (): void => this.#request('all');
    elements.scroller.addEventListener('scroll', onScroll, { passive: true });
    const resize = new ResizeObserver(() => this.#resize());
    resize.observe(elements.scroller);
    resize.observe(elements.axis.parentElement ?? elements.scroller);
    const theme = new MutationObserver(() => {
      this.#painter = this.#newPainter();
      this.#request('all');
    });
    theme.observe(document.documentElement, {
      attributeFilter: ['data-mantine-color-scheme', 'data-palette'],
    });
    const second = setInterval(() => this.#tick(), SECOND);
    this.#ends.push(
      () => elements.scroller.removeEventListener('scroll', onScroll),
      () => resize.disconnect(),
      () => theme.disconnect(),
      () => clearInterval(second),
      scene.onDirty((what) => this.#request(what)),
    );
    this.#resize();
  }

  close(): void {
    for (const end of this.#ends) end();
    if (this.#handle !== undefined) cancelAnimationFrame(this.#handle);
  }

  /** What is on the canvas, for drawing and for finding what is under the cursor. */
  shown(): Shown {
    const { data, rows, nodesOfGroup, mask, view, now } = this.#scene;
    return {
      bars: data?.bars,
      tiles: data?.tiles,
      rows,
      nodesOfGroup,
      mask,
      view,
      now,
      ...this.#size,
      scrollTop: this.#elements.scroller.scrollTop,
    };
  }

  /** Where the canvas is in the window. */
  box(): DOMRect {
    return this.#elements.bars.getBoundingClientRect();
  }

  #newPainter(): Painter {
    const context = contextOf(this.#elements.bars);
    return new Painter(context, canvasColours(document.documentElement));
  }

  #request(what: 'all' | 'overlay'): void {
    if (what === 'all') this.#isDirty = true;
    this.#handle ??= requestAnimationFrame(() => {
      this.#handle = undefined;
      this.#draw();
    });
  }

  /** What runs grows; and in a view that follows the present everything moves. */
  #tick(): void {
    const { isFollowing, view, now, data } = this.#scene;
    if (isFollowing) {
      const at = view.from + (view.to - view.from) * 0.75;
      if (now > at) this.#scene.show(pan(view, now - at));
    }
    const isMoving =
      data?.bars !== undefined && UNFINISHED.some((state) => data.counts[state] !== 0);
    this.#request(isMoving ? 'all' : 'overlay');
  }

  #resize(): void {
    const { scroller, bars, overlay, axis } = this.#elements;
    const width = axis.parentElement?.clientWidth ?? 0;
    const height = Math.max(0, scroller.clientHeight - AXIS_PX);
    this.#size = { width, height };
    for (const canvas of [bars, overlay]) sizeTo(canvas, width, height);
    sizeTo(axis, width, AXIS_PX);
    // A resized canvas is empty until it is drawn: at once, it must not blink.
    this.#isDirty = true;
    this.#draw();
  }

  #draw(): void {
    const { width } = this.#size;
    if (width === 0) return;
    const begun = performance.now();
    const shown = this.shown();
    if (this.#isDirty) {
      this.#isDirty = false;
      this.#drawBars(shown);
    }
    this.#drawOverlay(shown);
    this.#note(performance.now() - begun);
  }

  #drawBars(shown: Shown): void {
    const { view, width, height } = shown;
    const axis = timeAxis(view, { width, zone: this.zone, language: this.language });
    const grid = { axis, view, width, height };
    collect(this.#frame, shown);
    this.#painter.paint(contextOf(this.#elements.bars), this.#frame, grid);
    this.#painter.axis(contextOf(this.#elements.axis), grid);
  }

  #drawOverlay(shown: Shown): void {
    const { view, width, height, now } = shown;
    this.#collectBoxes(shown);
    this.#painter.overlay(contextOf(this.#elements.overlay), {
      width,
      height,
      nowX: xOf(view, width, now),
      nowLabel: formatTime(now, this.zone),
      boxes: this.#boxes.single,
      chosen: this.#boxes.chosen,
    });
  }

  #collectBoxes(shown: Shown): void {
    const { hovered, selected, choice } = this.#scene;
    this.#single.clear();
    if (hovered !== undefined) this.#single.add(hovered);
    const opened = selected === undefined ? undefined : shown.bars?.indexOf(selected);
    if (opened !== undefined) this.#single.add(opened);
    const marks = choice.size === 0 ? undefined : choice.marks;
    collectBoxes(this.#boxes, shown, { marks, single: this.#single });
  }

  #note(ms: number): void {
    this.frames += 1;
    this.work.push(ms);
    if (this.work.length > KEPT_FRAMES) this.work.shift();
    const { marks, lastEvent, data } = this.#scene;
    if (data !== undefined) marks.firstPaintAt ??= performance.now();
    if (lastEvent !== undefined) lastEvent.paintedAt ??= Date.now();
  }
}

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('this browser has no 2d canvas');
  return context;
}

function sizeTo(canvas: HTMLCanvasElement, width: number, height: number): void {
  const ratio = window.devicePixelRatio;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  contextOf(canvas).setTransform(ratio, 0, 0, ratio, 0, 0);
}
