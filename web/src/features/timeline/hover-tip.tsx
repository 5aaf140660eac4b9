import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { create } from 'zustand';

import { StateBadge } from '../../ui/state-badge.tsx';
import { formatDuration, formatInstant } from '../../ui/time.ts';
import { VISIBLE_STATES } from '../../ui/visible-state.ts';
import { useZone } from '../../ui/zone.ts';
import { spentTexts } from './bar-text.ts';
import classes from './timeline-chart.module.css';
import type { TimelineScene } from './timeline-scene.ts';

/** The bar under the cursor and where the cursor is, in px of the window. */
export const useHover = create<{ at: number | undefined; x: number; y: number }>(() => ({
  at: undefined,
  x: 0,
  y: 0,
}));

const WIDTH = 300;
const HEIGHT = 150;

/** What the bar under the cursor is; for eyes only, the gutter says the same to everybody. */
export function HoverTip({ scene }: { readonly scene: TimelineScene }): ReactNode {
  const { t } = useTranslation(['timeline', 'ui']);
  const zone = useZone();
  const { at, x, y } = useHover();
  const bars = scene.data?.bars;
  if (at === undefined || bars === undefined || at >= bars.size) return null;
  const left = Math.min(x + 14, window.innerWidth - WIDTH - 8);
  const top = y + 16 + HEIGHT > window.innerHeight ? y - HEIGHT : y + 16;
  const started = bars.started[at]!;
  const p50 = bars.p50[bars.node[at]!];
  return (
    <div aria-hidden="true" className={classes['tip']} style={{ left, top, width: WIDTH }}>
      <strong>{bars.nodes[bars.node[at]!]?.name}</strong>
      <StateBadge state={VISIBLE_STATES[bars.state[at]!]!} />
      {Number.isNaN(started) ? (
        <span>{t('timeline:bar.due', { at: formatInstant(bars.run[at]!, zone) })}</span>
      ) : (
        <span>{t('timeline:bar.started', { at: formatInstant(started, zone) })}</span>
      )}
      {spentTexts(t, bars, { at, now: scene.now }).map((text) => (
        <span key={text}>{text}</span>
      ))}
      {p50 != null && <span>{t('timeline:bar.usual', { time: formatDuration(p50) })}</span>}
    </div>
  );
}
