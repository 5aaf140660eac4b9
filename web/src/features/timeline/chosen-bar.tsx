import { lazy, type ReactNode, Suspense } from 'react';

import { usePageKeys } from '../../app/shortcuts.tsx';
import type { TimelineScene } from './timeline-scene.ts';
import { useSceneVersion } from './use-timeline.ts';

// With the dialogs of the operations in it: only who chooses something needs it.
const BulkBar = lazy(async () => ({
  default: (await import('../instances/bulk-bar.tsx')).BulkBar,
}));

/** What can be done with the chosen bars; `.` leads there, Esc gives the choice up. */
export function ChosenBar({ scene }: { readonly scene: TimelineScene }): ReactNode {
  useSceneVersion(scene);
  const bars = scene.data?.bars;
  const chosen =
    bars === undefined || scene.choice.size === 0
      ? []
      : scene.choice.shown({ bars, mask: scene.mask });
  usePageKeys((event) => {
    if (chosen.length === 0 || document.querySelector('[role=dialog]') !== null) return false;
    if (event.key === 'Escape') scene.chooseNothing();
    else if (event.key === '.')
      document.querySelector<HTMLElement>('[data-testid=bulk-bar] button')?.focus();
    else return false;
    return true;
  });
  if (chosen.length === 0) return null;
  return (
    <Suspense fallback={null}>
      <BulkBar chosen={chosen} onClear={() => scene.chooseNothing()} />
    </Suspense>
  );
}
