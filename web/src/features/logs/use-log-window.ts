import { useEffect, useMemo, useSyncExternalStore } from 'react';

import { fetchClient } from '../../api/client.ts';
import { useLive, useLiveEvents } from '../../app/live.tsx';
import { LogWindow } from './log-window.ts';

/** News of a followed log come with the socket; this is for the time without one. */
const POLL_MS = 3_000;
const REFRESH_MS = 150;

/** The log of one attempt (the latest unless given), kept up to date while it grows. */
export function useLogWindow(instanceId: string, attempt: number | undefined): LogWindow {
  const live = useLive();
  const log = useMemo(
    () =>
      new LogWindow(async (from, count) => {
        const { data } = await fetchClient.GET('/api/v1/instances/{id}/log/lines', {
          params: {
            path: { id: instanceId },
            query: { from, count, ...(attempt === undefined ? {} : { attempt }) },
          },
        });
        if (data === undefined) throw new Error('the answer is empty');
        return data;
      }),
    [instanceId, attempt],
  );
  useSyncExternalStore(log.subscribe, log.version);
  useEffect(() => void log.refresh(), [log]);

  const isOpen = log.extent?.isOver === false;
  useEffect(() => {
    if (!isOpen) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    // Frames say that there is more; the lines themselves are read, so that none is doubled or cut.
    const soon = (): void => {
      timer ??= setTimeout(() => {
        timer = undefined;
        void log.refresh();
      }, REFRESH_MS);
    };
    const from = (): number => log.extent?.totalLines ?? 0;
    const wanted = { instance: instanceId, from, ...(attempt === undefined ? {} : { attempt }) };
    const leave = live?.followLog(wanted, soon);
    const poll = setInterval(() => void log.refresh(), POLL_MS);
    return () => {
      leave?.();
      clearInterval(poll);
      clearTimeout(timer);
    };
  }, [log, live, isOpen, instanceId, attempt]);

  useLiveEvents({
    onEvents: ({ events }) => {
      if (events.some(({ instance }) => instance === instanceId)) void log.refresh();
    },
    onReset: () => void log.refresh(),
  });
  return log;
}
