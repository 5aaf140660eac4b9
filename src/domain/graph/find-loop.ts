/**
 * One path that comes back to where it began, as indexes in the order in which each waits for the next, its
 * first one not repeated; `undefined` when there is none. `upstreams` holds the upstreams of each index.
 */
export function findLoop(upstreams: readonly (readonly number[])[]): number[] | undefined {
  const left = Int32Array.from(upstreams, (ups) => ups.length);
  const downstreams: number[][] = upstreams.map(() => []);
  for (const [down, ups] of upstreams.entries()) for (const up of ups) downstreams[up]?.push(down);
  const free = [...left.keys()].filter((index) => left[index] === 0);
  for (const index of free) {
    for (const down of downstreams[index] ?? []) {
      left[down] = (left[down] ?? 0) - 1;
      if (left[down] === 0) free.push(down);
    }
  }
  if (free.length === upstreams.length) return undefined;
  // What is left waits for something that is left too, so a walk upstream closes.
  const seenAt = new Map<number, number>();
  const walk: number[] = [];
  let at: number | undefined = left.findIndex((count) => count > 0);
  while (at !== undefined && !seenAt.has(at)) {
    seenAt.set(at, walk.length);
    walk.push(at);
    at = upstreams[at]?.find((up) => (left[up] ?? 0) > 0);
  }
  return walk.slice(at === undefined ? 0 : seenAt.get(at));
}
