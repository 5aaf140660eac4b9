import type { StyledText, TextStyle } from './ansi-text.ts';

/** A piece of a line that looks the same all over. */
export interface LinePiece {
  readonly text: string;
  readonly style: TextStyle | undefined;
  readonly isHit: boolean;
}

type Range = readonly [start: number, end: number];

/** Cuts a line where its style or a hit begins or ends. Ranges are in order and do not overlap. */
export function linePieces({ text, spans }: StyledText, hits: readonly Range[]): LinePiece[] {
  const edges = new Set([0, text.length]);
  for (const { start, end } of spans) edges.add(start).add(end);
  for (const [start, end] of hits)
    edges.add(Math.min(start, text.length)).add(Math.min(end, text.length));
  const places = [...edges].sort((a, b) => a - b);
  const pieces: LinePiece[] = [];
  let span = 0;
  let hit = 0;
  for (const [i, start] of places.slice(0, -1).entries()) {
    while ((spans[span]?.end ?? Infinity) <= start) span++;
    while ((hits[hit]?.[1] ?? Infinity) <= start) hit++;
    const style = spans[span];
    pieces.push({
      text: text.slice(start, places[i + 1]),
      style: style !== undefined && style.start <= start ? style.style : undefined,
      isHit: (hits[hit]?.[0] ?? Infinity) <= start,
    });
  }
  return pieces;
}
