import {
  HOURGLASS,
  STATE_GLYPHS,
  VISIBLE_STATES,
  type VisibleState,
} from '../../ui/visible-state.ts';
import type { CanvasColours } from './canvas-colours.ts';
import { patternOf } from './canvas-patterns.ts';
import type { Frame } from './drawing.ts';
import type { RectList } from './rect-list.ts';
import { PLACE_OF_STATE } from './status-places.ts';
import type { TimeAxis } from './time-axis.ts';
import { type ViewWindow, xOf } from './view-window.ts';

export const AXIS_PX = 44;
const TIER_PX = 20;
const GLYPH_FONT = '12px system-ui, "DejaVu Sans", sans-serif';
const TEXT_FONT = '11px system-ui, "DejaVu Sans", sans-serif';
const AXIS_FONT = '12px system-ui, "DejaVu Sans", sans-serif';
const OUTLINED = new Set<number>([PLACE_OF_STATE.retry, PLACE_OF_STATE.dryRun]);

/** Draws frames in the colours of one theme; made anew when the theme changes. */
export class Painter {
  // Made when it is first drawn: tests have no canvas.
  #hourglass: Path2D | undefined;
  readonly #colours: CanvasColours;
  readonly #dots: CanvasPattern | string;
  readonly #hatches: readonly (CanvasPattern | string)[];
  readonly #stripe: CanvasPattern | string;

  constructor(context: CanvasRenderingContext2D, colours: CanvasColours) {
    this.#colours = colours;
    this.#dots = patternOf(context, 'dots', colours.states[PLACE_OF_STATE.resource] ?? '');
    this.#hatches = colours.states.map((colour) => patternOf(context, 'hatch', colour));
    this.#stripe = patternOf(context, 'stripe', 'rgb(255 255 255 / 28%)');
  }

  /** Grid, waits, runs, outlines, lanes, signs and texts, in this order. */
  paint(context: CanvasRenderingContext2D, frame: Frame, grid: Grid): void {
    context.clearRect(0, 0, grid.width, grid.height);
    this.#grid(context, grid);
    this.#waits(context, frame);
    for (let state = 0; state < VISIBLE_STATES.length; state++) {
      this.#usual(context, frame.usual[state]!, state);
      this.#runs(context, frame.runs[state]!, state);
      this.#fill(context, frame.columns[state]!, this.#colours.states[state] ?? '');
    }
    this.#labels(context, frame);
  }

  #grid(context: CanvasRenderingContext2D, { axis, view, width, height }: Grid): void {
    context.strokeStyle = this.#colours.line;
    context.lineWidth = 1;
    context.beginPath();
    for (const { at } of axis.ticks) {
      const x = Math.round(xOf(view, width, at)) + 0.5;
      context.moveTo(x, 0);
      context.lineTo(x, height);
    }
    context.stroke();
    for (const { at } of axis.changes)
      dashedLine(context, { x: xOf(view, width, at), height, colour: this.#colours.dim });
  }

  #waits(context: CanvasRenderingContext2D, { waits }: Frame): void {
    const { states } = this.#colours;
    context.lineWidth = 1;
    context.strokeStyle = states[PLACE_OF_STATE.upstream] ?? '';
    context.beginPath();
    waits.upstream.each((x, y, width, height) =>
      context.rect(Math.round(x) + 0.5, y + 0.5, Math.max(1, width - 1), height - 1),
    );
    context.stroke();
    this.#fill(context, waits.time, states[PLACE_OF_STATE.time] ?? '');
    this.#fill(context, waits.resource, this.#dots);
  }

  #runs(context: CanvasRenderingContext2D, list: RectList, state: number): void {
    if (list.count === 0) return;
    const colour = this.#colours.states[state] ?? '';
    const isHatched = state === PLACE_OF_STATE.upstreamFailed || state === PLACE_OF_STATE.retry;
    if (isHatched) this.#fill(context, list, this.#hatches[state] ?? colour);
    else if (!OUTLINED.has(state)) this.#fill(context, list, colour);
    if (state === PLACE_OF_STATE.running) this.#fill(context, list, this.#stripe);
    context.setLineDash(state === PLACE_OF_STATE.dryRun ? [3, 2] : []);
    this.#outline(context, list, OUTLINED.has(state) ? colour : (this.#colours.edges[state] ?? ''));
    context.setLineDash([]);
  }

  /** Dotted: what has not happened, as long as it usually takes. */
  #usual(context: CanvasRenderingContext2D, list: RectList, state: number): void {
    if (list.count === 0) return;
    context.setLineDash([1.5, 2.5]);
    this.#outline(context, list, this.#colours.states[state] ?? '');
    context.setLineDash([]);
  }

  #outline(context: CanvasRenderingContext2D, list: RectList, colour: string): void {
    context.strokeStyle = colour;
    context.lineWidth = 1;
    context.beginPath();
    list.each((x, y, width, height) =>
      context.rect(x + 0.5, y + 0.5, Math.max(1, width - 1), height - 1),
    );
    context.stroke();
  }

  #fill(context: CanvasRenderingContext2D, list: RectList, style: string | CanvasPattern): void {
    if (list.count === 0) return;
    context.fillStyle = style;
    list.each((x, y, width, height) => context.fillRect(x, y, width, height));
  }

  #labels(context: CanvasRenderingContext2D, { glyphs, texts }: Frame): void {
    const { text, onStates } = this.#colours;
    context.textBaseline = 'middle';
    context.textAlign = 'left';
    context.font = GLYPH_FONT;
    context.fillStyle = text;
    for (const { x, y, state } of glyphs) this.#glyph(context, VISIBLE_STATES[state]!, x, y);
    context.font = TEXT_FONT;
    for (const label of texts) {
      context.fillStyle = OUTLINED.has(label.state) ? text : (onStates[label.state] ?? text);
      context.fillText(label.text, label.x, label.y + 0.5);
    }
  }

  #glyph(context: CanvasRenderingContext2D, state: VisibleState, x: number, y: number): void {
    if (state !== 'resource') {
      context.fillText(STATE_GLYPHS[state], x, y + 0.5);
      return;
    }
    this.#hourglass ??= new Path2D(HOURGLASS);
    context.translate(x + 1, y - 5);
    context.fill(this.#hourglass);
    context.translate(-x - 1, 5 - y);
  }

  axis(context: CanvasRenderingContext2D, { axis, view, width }: Grid): void {
    const { text, dim, line } = this.#colours;
    context.clearRect(0, 0, width, AXIS_PX);
    context.font = AXIS_FONT;
    context.textBaseline = 'middle';
    context.textAlign = 'left';
    context.strokeStyle = line;
    context.beginPath();
    context.fillStyle = text;
    for (const { from, to, label } of axis.stretches)
      this.#stretch(context, { left: xOf(view, width, from), right: xOf(view, width, to), label });
    context.fillStyle = dim;
    for (const { at, label } of axis.ticks) {
      const x = Math.round(xOf(view, width, at)) + 0.5;
      context.moveTo(x, TIER_PX + 4);
      context.lineTo(x, AXIS_PX);
      context.fillText(label, x + 4, TIER_PX + 12);
    }
    context.stroke();
    context.fillStyle = text;
    for (const { at, byMs } of axis.changes) this.#change(context, xOf(view, width, at), byMs);
  }

  #stretch(
    context: CanvasRenderingContext2D,
    { left, right, label }: { left: number; right: number; label: string },
  ): void {
    if (left > 0) {
      context.moveTo(Math.round(left) + 0.5, 0);
      context.lineTo(Math.round(left) + 0.5, AXIS_PX);
    }
    const room = right - Math.max(0, left) - 10;
    if (context.measureText(label).width <= room)
      context.fillText(label, Math.max(0, left) + 6, TIER_PX / 2 + 1);
  }

  #change(context: CanvasRenderingContext2D, x: number, byMs: number): void {
    const hours = byMs / 3_600_000;
    const label = `${hours > 0 ? '+' : '−'}${Math.abs(hours)} h`;
    const { width } = context.measureText(label);
    context.save();
    context.fillStyle = this.#colours.ground;
    context.fillRect(x + 2, 2, width + 4, TIER_PX - 3);
    context.restore();
    context.fillText(label, x + 4, TIER_PX / 2 + 1);
  }

  /** A frame and a veil: neither a hue alone nor one that hides the state's own look. */
  #chosen(context: CanvasRenderingContext2D, list: RectList): void {
    if (list.count === 0) return;
    context.lineWidth = 2;
    context.beginPath();
    list.each((x, y, width, height) => context.rect(x, y, width, height));
    context.stroke();
    context.globalAlpha = 0.25;
    this.#fill(context, list, this.#colours.focus);
    context.globalAlpha = 1;
  }

  /** What moves without the bars: the line of the present, the bar under the cursor, the chosen one. */
  overlay(context: CanvasRenderingContext2D, marks: OverlayMarks): void {
    const { width, height, nowX, nowLabel } = marks;
    context.clearRect(0, 0, width, height);
    context.lineWidth = 2;
    context.strokeStyle = this.#colours.focus;
    marks.boxes.each((x, y, w, h) => context.strokeRect(x, y, w, h));
    this.#chosen(context, marks.chosen);
    if (nowX < 0 || nowX > width) return;
    context.lineWidth = 1;
    context.strokeStyle = this.#colours.now;
    context.beginPath();
    context.moveTo(Math.round(nowX) + 0.5, 0);
    context.lineTo(Math.round(nowX) + 0.5, height);
    context.stroke();
    context.font = TEXT_FONT;
    context.textBaseline = 'bottom';
    const room = context.measureText(nowLabel).width + 8;
    const x = nowX + room > width ? nowX - room : nowX;
    context.fillStyle = this.#colours.ground;
    context.fillRect(x + 1, height - 17, room, 16);
    context.fillStyle = this.#colours.now;
    context.fillText(nowLabel, x + 4, height - 3);
  }
}

export interface Grid {
  readonly axis: TimeAxis;
  readonly view: ViewWindow;
  readonly width: number;
  readonly height: number;
}

export interface OverlayMarks {
  readonly width: number;
  readonly height: number;
  readonly nowX: number;
  readonly nowLabel: string;
  readonly boxes: RectList;
  readonly chosen: RectList;
}

function dashedLine(
  context: CanvasRenderingContext2D,
  { x, height, colour }: { x: number; height: number; colour: string },
): void {
  context.save();
  context.setLineDash([4, 4]);
  context.strokeStyle = colour;
  context.beginPath();
  context.moveTo(Math.round(x) + 0.5, 0);
  context.lineTo(Math.round(x) + 0.5, height);
  context.stroke();
  context.restore();
}
