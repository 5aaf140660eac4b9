/**
 * The indexes that lie on a path which comes back to where it began, or between two of those. `upstreams` holds
 * the upstreams of each index.
 */
export function nodesOnLoops(upstreams: readonly (readonly number[])[]): number[] {
  const downstreams: number[][] = upstreams.map(() => []);
  for (const [down, ups] of upstreams.entries()) for (const up of ups) downstreams[up]?.push(down);
  const below = leftAfterPeeling(upstreams, downstreams);
  const above = leftAfterPeeling(downstreams, upstreams);
  return [...upstreams.keys()].filter((index) => below.has(index) && above.has(index));
}

/** Takes away what waits for nothing, then what waited for that alone, and so on. */
function leftAfterPeeling(
  upstreams: readonly (readonly number[])[],
  downstreams: readonly (readonly number[])[],
): Set<number> {
  const waitsFor = upstreams.map((ups) => ups.length);
  const free = [...waitsFor.keys()].filter((index) => waitsFor[index] === 0);
  for (const index of free) {
    for (const down of downstreams[index] ?? []) {
      waitsFor[down] = (waitsFor[down] ?? 0) - 1;
      if (waitsFor[down] === 0) free.push(down);
    }
  }
  const peeled = new Set(free);
  return new Set([...upstreams.keys()].filter((index) => !peeled.has(index)));
}
