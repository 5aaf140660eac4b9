import { usePageKeys } from '../../app/shortcuts.tsx';
import type { TimelineScene } from './timeline-scene.ts';

/** How far an arrow moves, as a share of what is shown, and how much a key zooms. */
const PAN_SHARE = 0.1;
const ZOOM = 1.5;

/** `0 + - ← → n f v` of the page. */
export function useTimelineKeys(scene: TimelineScene, onTable: () => void): void {
  usePageKeys((event) => {
    // Within the tree of rows and at its edge the arrows are theirs.
    const isOurs = (event.target as HTMLElement).closest('[role=tab], [role=radiogroup]') === null;
    const { from, to } = scene.view;
    const middle = (from + to) / 2;
    if (event.key === '0') scene.fitAll();
    else if (event.key === '+' || event.key === '=') scene.zoom(middle, 1 / ZOOM);
    else if (event.key === '-') scene.zoom(middle, ZOOM);
    else if (event.key === 'ArrowLeft' && isOurs) scene.panBy((from - to) * PAN_SHARE);
    else if (event.key === 'ArrowRight' && isOurs) scene.panBy((to - from) * PAN_SHARE);
    else if (event.code === 'KeyN') scene.goNow(scene.isFollowing);
    else if (event.code === 'KeyF') scene.goNow(!scene.isFollowing);
    else if (event.code === 'KeyV') onTable();
    else return false;
    return true;
  });
}
