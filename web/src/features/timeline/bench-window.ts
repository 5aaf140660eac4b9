import type { TimelineChartLoop } from './timeline-chart-loop.ts';
import type { SceneMarks, TimelineScene } from './timeline-scene.ts';

declare global {
  interface Window {
    /** For tests and the bench, which only read it. */
    __millraceTimeline?: {
      /** When the last answer was read and when it was first seen, as `performance.now()` says. */
      readonly marks: Readonly<SceneMarks>;
      /** Counts by visible state. */
      readonly counts: () => Readonly<Record<string, number>>;
      /** The last event that changed an instance: `at` by the engine, `paintedAt` by this clock, epoch ms. */
      readonly lastEvent: TimelineScene['lastEvent'];
      /** How many frames were drawn, and the ms of work of the last 600. */
      readonly frames: { readonly count: number; readonly work: readonly number[] };
    };
  }
}

/** Lets tests look into the scene; the result ends that. */
export function exposeTimeline(scene: TimelineScene, loop: TimelineChartLoop): () => void {
  window.__millraceTimeline = {
    marks: scene.marks,
    counts: () => scene.counts(),
    get lastEvent() {
      return scene.lastEvent;
    },
    get frames() {
      return { count: loop.frames, work: loop.work };
    },
  };
  return () => {
    delete window.__millraceTimeline;
  };
}
