import { useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useRef, useState } from 'react';

import { LiveWorkspace, type EventFrame, type LiveListener } from '../api/realtime.ts';
import { useWorkspace } from './workspace.tsx';

const LiveContext = createContext<LiveWorkspace | undefined>(undefined);

declare global {
  interface Window {
    /** For tests that cut the socket and look at what comes after. */
    __millraceLive?: LiveWorkspace;
  }
}

/** Holds the socket of the workspace while its pages are open. */
export function LiveProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const { name } = useWorkspace();
  const [live, setLive] = useState<LiveWorkspace>();
  useEffect(() => {
    const opened = new LiveWorkspace(name);
    window.__millraceLive = opened;
    setLive(opened);
    return () => opened.close();
  }, [name]);
  return <LiveContext value={live}>{children}</LiveContext>;
}

export function useLive(): LiveWorkspace | undefined {
  return useContext(LiveContext);
}

/** Calls the latest `onEvents` and `onReset` with what happens in the workspace. */
export function useLiveEvents(listener: LiveListener): void {
  const live = useLive();
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(
    () =>
      live?.listen({
        onEvents: (frame) => latest.current.onEvents(frame),
        onReset: () => latest.current.onReset(),
      }),
    [live],
  );
}

const REFRESH_MS = 1_000;

/**
 * Loads the queries whose key begins with one of `paths` again when an event of a type that begins with
 * `types` came, at once for the first and then at most once a second: lists stay right at any rate of events.
 */
export function useRefreshOn(
  types: readonly string[],
  paths: readonly string[],
  isAbout: (frame: EventFrame) => boolean = () => true,
): void {
  const client = useQueryClient();
  const state = useRef<{ timer?: ReturnType<typeof setTimeout>; isDue: boolean }>({ isDue: false });
  const refresh = (): void => {
    if (state.current.timer !== undefined) {
      state.current.isDue = true;
      return;
    }
    state.current.isDue = false;
    void client.invalidateQueries({
      predicate: ({ queryKey }) => paths.includes(String(queryKey[1])),
    });
    state.current.timer = setTimeout(() => {
      delete state.current.timer;
      if (state.current.isDue) refresh();
    }, REFRESH_MS);
  };
  useEffect(() => () => clearTimeout(state.current.timer), []);
  useLiveEvents({
    onEvents: (frame) => {
      const isOurs = frame.events.some(({ type }) => types.some((each) => type.startsWith(each)));
      if (isOurs && isAbout(frame)) refresh();
    },
    onReset: refresh,
  });
}
