import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { StateSwatch } from '../../ui/state-badge.tsx';
import { VISIBLE_STATES, type VisibleState } from '../../ui/visible-state.ts';
import classes from './state-legend.module.css';
import type { TimelineScene } from './timeline-scene.ts';
import { useSceneVersion } from './use-timeline.ts';

/** These depend on the edges, and no answer of the timeline tells them. */
const NOT_TOLD = new Set<VisibleState>(['upstreamFailed']);
const LISTED = VISIBLE_STATES.filter((state) => !NOT_TOLD.has(state));

/** What the colours mean, how many there are of each, and a switch that shows only some. */
export function StateLegend({
  scene,
  states,
  onStates,
}: {
  readonly scene: TimelineScene;
  readonly states: readonly VisibleState[];
  readonly onStates: (states: VisibleState[]) => void;
}): ReactNode {
  const { t, i18n } = useTranslation(['timeline', 'ui']);
  useSceneVersion(scene);
  const counts = scene.counts();
  const toggle = (state: VisibleState): void =>
    onStates(states.includes(state) ? states.filter((each) => each !== state) : [...states, state]);
  return (
    <div role="group" aria-label={t('timeline:legend')} className={classes['legend']}>
      {LISTED.map((state) => (
        <button
          key={state}
          type="button"
          className={classes['chip']}
          aria-pressed={states.includes(state)}
          data-state={state}
          data-count={counts[state]}
          onClick={() => toggle(state)}
        >
          <StateSwatch state={state} />
          {t(`ui:state.${state}`)}
          <span className={classes['count']}>
            {(counts[state] ?? 0).toLocaleString(i18n.language)}
          </span>
        </button>
      ))}
    </div>
  );
}
