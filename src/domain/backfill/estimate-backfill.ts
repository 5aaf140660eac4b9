import type { PlaceEdge } from './keep-chain.js';

export interface EstimatedInstance {
  /** How long it usually takes, in ms; 0 for a dry run. */
  readonly ms: number;
  readonly slots: number;
}

/** The instances of one business date and how they wait for each other. */
export interface EstimatedDate {
  readonly instances: readonly EstimatedInstance[];
  readonly edges: readonly PlaceEdge[];
}

/**
 * How long a backfill takes at least, in ms: the longer of what its slowest lane of business dates takes,
 * each date as long as its longest path, and of all its work divided by the slots it may use. Waiting for
 * others is not in it.
 */
export function estimateBackfill(
  dates: readonly EstimatedDate[],
  parallelism: number,
  slots: number,
): number {
  const lanes = Array.from({ length: Math.max(1, Math.min(parallelism, dates.length)) }, () => 0);
  let work = 0;
  for (const [no, date] of dates.entries()) {
    const lane = no % lanes.length;
    lanes[lane] = (lanes[lane] ?? 0) + longestPath(date);
    for (const { ms, slots: used } of date.instances) work += ms * Math.max(used, 1);
  }
  return Math.round(Math.max(...lanes, work / Math.max(1, slots)));
}

/** The edges form no circle: that was checked when the workflow was submitted. */
function longestPath({ instances, edges }: EstimatedDate): number {
  const open = new Int32Array(instances.length);
  const down = new Map<number, number[]>();
  for (const { upstream, downstream } of edges) {
    open[downstream] = (open[downstream] ?? 0) + 1;
    const known = down.get(upstream);
    if (known === undefined) down.set(upstream, [downstream]);
    else known.push(downstream);
  }
  const begins = new Float64Array(instances.length);
  const queue = instances.flatMap((_, place) => (open[place] === 0 ? [place] : []));
  let longest = 0;
  // The list grows while it is walked.
  for (const place of queue) {
    const ends = (begins[place] ?? 0) + (instances[place]?.ms ?? 0);
    longest = Math.max(longest, ends);
    for (const child of down.get(place) ?? []) {
      begins[child] = Math.max(begins[child] ?? 0, ends);
      open[child] = (open[child] ?? 0) - 1;
      if (open[child] === 0) queue.push(child);
    }
  }
  return longest;
}
