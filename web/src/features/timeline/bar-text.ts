import type { TFunction } from 'i18next';

import { formatDuration } from '../../ui/time.ts';
import { VISIBLE_STATES } from '../../ui/visible-state.ts';
import { timesSpent, WAITS } from './bar-geometry.ts';
import type { BarStore } from './bar-store.ts';

/** Waits below are not worth words. */
const SHORT_MS = 100;

/** "load, succeeded, ran 4.0s, waited 30s for a slot": what the bar shows, for those who do not see it. */
export function barText(
  t: TFunction<['timeline', 'ui']>,
  bars: BarStore,
  bar: { readonly at: number; readonly now: number },
): string {
  const name = bars.nodes[bars.node[bar.at]!]!.name;
  const state = t(`ui:state.${VISIBLE_STATES[bars.state[bar.at]!]!}`);
  return [name, state, ...spentTexts(t, bars, bar)].join(t('listComma'));
}

/** What it ran and waited, one text for each. */
export function spentTexts(
  t: TFunction<['timeline', 'ui']>,
  bars: BarStore,
  { at, now }: { readonly at: number; readonly now: number },
): string[] {
  const { wait, ran } = timesSpent(bars, at, now);
  const texts: string[] = [];
  if (ran !== undefined) texts.push(t('timeline:bar.ran', { time: formatDuration(ran) }));
  for (const cause of WAITS) {
    if (wait[cause] < SHORT_MS) continue;
    texts.push(t(`timeline:bar.waited.${cause}`, { time: formatDuration(wait[cause]) }));
  }
  return texts;
}
