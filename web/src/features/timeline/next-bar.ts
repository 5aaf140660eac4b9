import type { TimelineRow } from './row-model.ts';
import type { TimelineScene } from './timeline-scene.ts';

/**
 * The instance of a row that is `by` further on than `at` among those that the state filter shows. Without
 * `at` it is the latest: the one that a row is asked about.
 */
export function nextBar(
  scene: TimelineScene,
  row: TimelineRow,
  at: number | undefined,
  by: number,
): number | undefined {
  const bars = scene.data?.bars;
  if (bars === undefined || row.kind !== 'node') return undefined;
  const shown = bars.ofNode[row.node]!.filter((each) => scene.mask[bars.state[each]!] === 1);
  const place = at === undefined ? -1 : shown.indexOf(at);
  if (place === -1) return shown.at(-1);
  return shown[Math.min(shown.length - 1, Math.max(0, place + by))];
}
