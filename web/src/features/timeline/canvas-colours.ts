import { VISIBLE_STATES, type VisibleState } from '../../ui/visible-state.ts';

/** The colours of the theme as the canvas needs them. */
export interface CanvasColours {
  readonly ground: string;
  readonly line: string;
  readonly text: string;
  readonly dim: string;
  readonly now: string;
  readonly focus: string;
  /** By place of the visible state. */
  readonly states: readonly string[];
  /** A little darker, for the edges. */
  readonly edges: readonly string[];
  /** Black or white, whichever is easier to read on the state. */
  readonly onStates: readonly string[];
}

/** Reads the variables of the palette; again after each change of theme. */
export function canvasColours(element: Element): CanvasColours {
  const style = getComputedStyle(element);
  const read = (name: string): string => style.getPropertyValue(`--mr-${name}`).trim();
  const states = VISIBLE_STATES.map((state: VisibleState) => read(`state-${state}`));
  return {
    ground: read('ground'),
    line: read('line'),
    text: read('text'),
    dim: read('text-dim'),
    now: read('now'),
    focus: read('focus'),
    states,
    edges: states.map(darker),
    onStates: states.map(textOn),
  };
}

/** About 12 L* darker: success has hardly 3:1 on white, and its edge has to tell the bar from the ground. */
export function darker(hex: string): string {
  const parts = channels(hex).map((value) => Math.round(value * 0.74));
  return `rgb(${parts.join(' ')})`;
}

/** Black or white by the contrast ratio of WCAG. */
export function textOn(hex: string): string {
  const [red = 0, green = 0, blue = 0] = channels(hex).map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return (luminance + 0.05) / 0.05 >= 1.05 / (luminance + 0.05) ? '#000000' : '#ffffff';
}

function channels(hex: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) || 0);
}
