import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';

import { fetchClient } from '../../api/client.ts';
import { useLiveStatus } from '../../api/realtime.ts';
import { useLiveEvents } from '../../app/live.tsx';
import { useWorkspace } from '../../app/workspace.tsx';
import { loadTimeline } from './load-timeline.ts';
import type { TimelineAddress } from './timeline-address.ts';
import { type FeedState, TimelineFeed } from './timeline-feed.ts';
import { TimelineScene } from './timeline-scene.ts';

/** How long the first answer waits for the socket: an answer from before it has to be asked for twice. */
const LIVE_WAIT_MS = 300;

export interface Timeline extends FeedState {
  readonly scene: TimelineScene;
  readonly reload: () => void;
}

/** The scene of an address, loaded and kept true. */
export function useTimeline(address: TimelineAddress): Timeline {
  const { name: workspace } = useWorkspace();
  const [scene] = useState(() => new TimelineScene());
  const [state, setState] = useState<FeedState>({ isLoading: true, error: undefined });
  const feed = useMemo(() => new TimelineFeed(scene, setState), [scene]);
  const { filter, grouping, states, isEveryBar } = address;
  // Bars that are all here are filtered here; tiles and a part of the bars have to be asked for.
  const isWhole = scene.data?.bars !== undefined && scene.data.asked.statuses === undefined;
  const key = JSON.stringify({ workspace, filter, grouping, isEveryBar });
  const asked = useRef({ key: '', states: '' });
  useEffect(() => {
    scene.setStates(states);
    const isFirst = asked.current.key === '';
    const isSame = asked.current.key === key;
    if (isSame && (isWhole || asked.current.states === states.join())) return;
    asked.current = { key, states: states.join() };
    // What was chosen among others is not seen any more.
    if (!isSame) scene.chooseNothing();
    feed.open(
      async (signal) => {
        await live();
        return loadTimeline({ workspace, filter, grouping, states, isEveryBar }, signal);
      },
      isSame ? scene.view : isFirst ? address.view : undefined,
    );
  }, [key, states.join()]);
  useEffect(
    () => () => {
      feed.close();
      asked.current = { key: '', states: '' };
    },
    [feed],
  );
  useLiveEvents({ onEvents: (frame) => feed.receive(frame), onReset: () => feed.reset() });
  useReloadWhenLive(feed);
  useOpenedMark(scene);
  return { scene, ...state, reload: () => feed.reload() };
}

/** Tells React of the scene: its number changes at most ten times a second. */
export function useSceneVersion(scene: TimelineScene): number {
  return useSyncExternalStore(scene.subscribe, scene.version);
}

function isLive(): boolean {
  return useLiveStatus.getState().status === 'live';
}

/** Resolves when the socket is there, or when it takes too long. */
function live(): Promise<void> {
  if (isLive()) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      end();
      resolve();
    };
    const timer = setTimeout(done, LIVE_WAIT_MS);
    const end = useLiveStatus.subscribe(({ status }) => {
      if (status === 'live') done();
    });
  });
}

/** An answer from before the socket was there may have missed what happened in between. */
function useReloadWhenLive(feed: TimelineFeed): void {
  useEffect(() => {
    const openedAt = performance.now();
    let wasLive = isLive();
    return useLiveStatus.subscribe(({ status }) => {
      if (wasLive || status !== 'live') return;
      wasLive = true;
      if (performance.now() - openedAt > LIVE_WAIT_MS) feed.reload();
    });
  }, [feed]);
}

/** The first-run list wants to know that the timeline was seen. */
function useOpenedMark(scene: TimelineScene): void {
  const isTold = useRef(false);
  useEffect(
    () =>
      scene.subscribe(() => {
        if (isTold.current || (scene.data?.answer.total ?? 0) === 0) return;
        isTold.current = true;
        void tell();
      }),
    [scene],
  );
}

async function tell(): Promise<void> {
  try {
    const { data } = await fetchClient.GET('/api/v1/me/preferences');
    if (data?.['seen.timeline'] === true) return;
    await fetchClient.PUT('/api/v1/me/preferences', { body: { 'seen.timeline': true } });
  } catch {
    // The list is a help: when it cannot be ticked now, it is at the next visit.
  }
}
