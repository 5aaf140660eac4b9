import { type ReactNode, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { TimelineScene } from './timeline-scene.ts';

const EACH_MS = 5_000;

/** Says what has changed to those who listen, at most each five seconds. */
export function TimelineAnnouncer({ scene }: { readonly scene: TimelineScene }): ReactNode {
  const { t } = useTranslation('timeline');
  const [text, setText] = useState('');
  useEffect(() => {
    const timer = setInterval(() => {
      const { failed = 0, running = 0 } = scene.counts();
      setText(
        [t('live.failed', { count: failed }), t('live.running', { count: running })].join(
          t('listComma'),
        ),
      );
    }, EACH_MS);
    return () => clearInterval(timer);
  }, [scene, t]);
  return (
    <div role="status" aria-live="polite" className="mr-visually-hidden">
      {text}
    </div>
  );
}
