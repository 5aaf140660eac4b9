/** An edge between two places of a list. */
export interface PlaceEdge {
  readonly upstream: number;
  readonly downstream: number;
}

/** Places on paths that lead on beyond the list: what they come from, or lead to, may be wanted. */
export interface PathEnds {
  readonly begins: Iterable<number>;
  readonly ends: Iterable<number>;
}

/**
 * Which of `count` instances a plan keeps: those that are wanted, and those on a path between two of them,
 * so that what is wanted further down still waits for what is wanted further up.
 */
export function keepChain(
  count: number,
  edges: readonly PlaceEdge[],
  isWanted: (place: number) => boolean,
  { begins, ends }: PathEnds = { begins: [], ends: [] },
): Set<number> {
  const places = Array.from({ length: count }, (_, place) => place);
  const wanted = places.filter(isWanted);
  if (wanted.length === count) return new Set(places);
  const below = reachedFrom([...wanted, ...begins], edges, 'upstream', 'downstream');
  const above = reachedFrom([...wanted, ...ends], edges, 'downstream', 'upstream');
  return new Set(places.filter((place) => below.has(place) && above.has(place)));
}

function reachedFrom(
  roots: readonly number[],
  edges: readonly PlaceEdge[],
  from: keyof PlaceEdge,
  to: keyof PlaceEdge,
): Set<number> {
  const next = new Map<number, number[]>();
  for (const edge of edges) {
    const known = next.get(edge[from]);
    if (known === undefined) next.set(edge[from], [edge[to]]);
    else known.push(edge[to]);
  }
  const reached = new Set(roots);
  // A set is walked in the order of insertion, with what is added on the way.
  for (const place of reached) for (const each of next.get(place) ?? []) reached.add(each);
  return reached;
}
