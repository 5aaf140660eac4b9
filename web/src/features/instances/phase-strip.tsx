import type { CSSProperties, ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { formatDuration } from '../../ui/time.ts';
import type { Instance } from './instances-api.ts';
import { type PhaseName, phasesOf } from './phases.ts';
import classes from './phase-strip.module.css';

const COLOURS: Readonly<Record<PhaseName, string>> = {
  upstream: 'transparent',
  time: 'var(--mr-state-time)',
  resource: 'var(--mr-state-resource)',
  start: 'var(--mr-line)',
  running: 'var(--mr-state-running)',
};

/** What the instance spent its time with: a strip to scale, and the same as a list. */
export function PhaseStrip({
  instance,
  now,
}: {
  readonly instance: Instance;
  readonly now: number;
}): ReactNode {
  const { t } = useTranslation('instances');
  const phases = phasesOf(instance, now);
  if (phases.length === 0) return null;
  return (
    <div className={classes['phases']}>
      <div className={classes['strip']} aria-hidden="true">
        {phases.map(({ name, from, to }) => (
          <span
            key={name}
            data-phase={name}
            style={{ flexGrow: Math.max(to - from, 1), background: COLOURS[name] }}
          />
        ))}
      </div>
      <dl className={classes['list']}>
        {phases.map(({ name, from, to, isOpen }) => (
          <div key={name}>
            <dt>
              <span
                aria-hidden="true"
                className={classes['key']}
                data-phase={name}
                style={{ background: COLOURS[name] } as CSSProperties}
              />
              {t(`phase.${name}`)}
            </dt>
            <dd>
              {formatDuration(to - from)}
              {isOpen ? ` ${t('phase.soFar')}` : ''}
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
