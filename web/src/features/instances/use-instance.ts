import { useEffect, useState } from 'react';

import { $api } from '../../api/client.ts';
import { useRefreshOn } from '../../app/live.tsx';
import { isFinal } from '../../ui/visible-state.ts';
import { INSTANCE_PATHS } from './instances-api.ts';

// Counters of a running attempt are no events: they are asked for.
const PROGRESS_MS = 2_000;

/** One instance with its neighbours, loaded again when something happens to any of them. */
export function useInstance(id: string) {
  const query = $api.useQuery(
    'get',
    '/api/v1/instances/{id}',
    { params: { path: { id } } },
    {
      refetchInterval: ({ state }) =>
        state.data !== undefined && isHeld(state.data.status) ? PROGRESS_MS : false,
    },
  );
  const about = new Set([
    id,
    ...(query.data?.upstream.map((each) => each.id) ?? []),
    ...(query.data?.downstream.map((each) => each.id) ?? []),
  ]);
  useRefreshOn(['instance.'], INSTANCE_PATHS, ({ events }) =>
    events.some(({ instance }) => instance !== null && about.has(instance)),
  );
  return query;
}

export function useAttempts(id: string) {
  return $api.useQuery('get', '/api/v1/instances/{id}/attempts', { params: { path: { id } } });
}

export function useWhy(id: string) {
  return $api.useQuery('get', '/api/v1/instances/{id}/why', { params: { path: { id } } });
}

/** Whether a worker holds it. */
function isHeld(status: string): boolean {
  return !isFinal(status) && !/^(waiting_|gated$|retry_wait$)/.test(status);
}

/** The time, epoch ms, anew each second while `isTicking`. */
export function useNow(isTicking: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!isTicking) return undefined;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [isTicking]);
  return now;
}
