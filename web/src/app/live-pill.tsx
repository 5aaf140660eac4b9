import { Badge } from '@mantine/core';
import { type ReactNode, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { type LiveStatus, useLiveStatus } from '../api/realtime.ts';

const COLOURS: Readonly<Record<LiveStatus, string>> = {
  connecting: 'gray',
  live: 'teal',
  reconnecting: 'yellow',
  polling: 'yellow',
  paused: 'gray',
};

/** Whether what is on the screen is what is so now. */
export function LivePill(): ReactNode {
  const { t } = useTranslation('app');
  const { status, since } = useLiveStatus();
  const seconds = useSecondsSince(since, status === 'reconnecting');
  return (
    <Badge
      variant="outline"
      color={COLOURS[status]}
      c="var(--mr-text)"
      tt="none"
      role="status"
      aria-live="polite"
      data-testid="live-pill"
      data-status={status}
    >
      {status === 'live' ? '● ' : '○ '}
      {t(`live.${status}`, { seconds })}
    </Badge>
  );
}

function useSecondsSince(since: number, isCounting: boolean): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!isCounting) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [isCounting]);
  return Math.max(0, Math.round((now - since) / 1_000));
}
