import type { EventFrame, LiveEvent } from '../../api/realtime.ts';
import type { TimelineAnswer } from './bar-store.ts';
import type { Asked } from './timeline-data.ts';
import type { TimelineScene } from './timeline-scene.ts';
import type { ViewWindow } from './view-window.ts';

const RELOAD_MS = 1_000;

export interface Loaded {
  readonly answer: TimelineAnswer;
  readonly asked: Asked;
}

export interface FeedState {
  readonly isLoading: boolean;
  readonly error: unknown;
}

export type Load = (signal: AbortSignal) => Promise<Loaded>;

/**
 * Keeps the scene true: loads an answer, puts what happened meanwhile on top of it, and loads again, at
 * most once a second, when events alone do not tell what to draw.
 */
export class TimelineFeed {
  readonly #scene: TimelineScene;
  readonly #onState: (state: FeedState) => void;
  #load: Load | undefined;
  #abort: AbortController | undefined;
  /** What came while an answer was under way. */
  #held: LiveEvent[] = [];
  /** The socket has brought every event after this number. */
  #streamFrom: number | undefined;
  #isDue = false;
  #lastAt = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(scene: TimelineScene, onState: (state: FeedState) => void) {
    this.#scene = scene;
    this.#onState = onState;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#abort?.abort();
    this.#abort = undefined;
    this.#load = undefined;
  }

  /** Shows something else; `view` absent shows all of it. */
  open(load: Load, view: ViewWindow | undefined): void {
    this.close();
    this.#load = load;
    void this.#run(view);
  }

  receive(frame: EventFrame): void {
    this.#streamFrom ??= frame.after;
    if (this.#abort !== undefined) this.#held.push(...frame.events);
    if (this.#scene.apply(frame.events) || this.#hasGap()) this.reload();
  }

  /** What was missed cannot be had any more. */
  reset(): void {
    this.#streamFrom = undefined;
    this.reload();
  }

  /** Loads the same again: at once, but not twice within a second. */
  reload(): void {
    if (this.#load === undefined) return;
    if (this.#abort !== undefined) {
      this.#isDue = true;
      return;
    }
    const wait = this.#lastAt + RELOAD_MS - performance.now();
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined;
        void this.#run(this.#scene.view);
      },
      Math.max(0, wait),
    );
  }

  async #run(view: ViewWindow | undefined): Promise<void> {
    const load = this.#load;
    if (load === undefined) return;
    const abort = new AbortController();
    this.#abort = abort;
    this.#held = [];
    this.#isDue = false;
    this.#lastAt = performance.now();
    this.#onState({ isLoading: true, error: undefined });
    try {
      const { answer, asked } = await load(abort.signal);
      if (abort.signal.aborted) return;
      this.#scene.load(answer, asked, view);
      if (this.#scene.apply(this.#held) || this.#hasGap()) this.#isDue = true;
      this.#onState({ isLoading: false, error: undefined });
    } catch (error) {
      if (abort.signal.aborted) return;
      this.#onState({ isLoading: false, error });
    }
    this.#abort = undefined;
    this.#held = [];
    if (this.#isDue) this.reload();
  }

  /** The socket began after the answer: nobody has told what lies between the two. */
  #hasGap(): boolean {
    const seq = this.#scene.data?.answer.seq;
    return seq !== undefined && this.#streamFrom !== undefined && this.#streamFrom > seq;
  }
}
