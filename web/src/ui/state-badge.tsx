import type { CSSProperties, ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import classes from './state-badge.module.css';
import { HOURGLASS, STATE_GLYPHS, type VisibleState } from './visible-state.ts';

/** A state as colour, glyph and text: never as colour alone. */
export function StateBadge({ state }: { readonly state: VisibleState }): ReactNode {
  const { t } = useTranslation('ui');
  return (
    <span className={classes['badge']}>
      <StateSwatch state={state} />
      {t(`state.${state}`)}
    </span>
  );
}

/** Drawn, because few fonts have the sign. */
function Hourglass(): ReactNode {
  return (
    <svg width="8" height="10" viewBox="0 0 8 10" fill="currentColor">
      <path d={HOURGLASS} />
    </svg>
  );
}

/** The sign of a state, where its text stands beside it or is said elsewhere. */
export function StateSwatch({ state }: { readonly state: VisibleState }): ReactNode {
  const style = { '--state-colour': `var(--mr-state-${state})` } as CSSProperties;
  return (
    <span aria-hidden="true" className={classes['swatch']} data-state={state} style={style}>
      {state === 'resource' ? <Hourglass /> : STATE_GLYPHS[state]}
    </span>
  );
}
