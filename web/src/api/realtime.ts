import { io, type Socket } from 'socket.io-client';
import { create } from 'zustand';

import { fetchClient } from './client.ts';

/** Something that happened in the workspace; `at` is the engine's clock (ISO 8601). */
export interface LiveEvent {
  readonly seq: number;
  readonly type: string;
  readonly at: string;
  readonly instance: string | null;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Every event of the workspace with `after` < seq <= `seq`. */
export interface EventFrame {
  readonly workspace: string;
  readonly after: number;
  readonly seq: number;
  readonly events: readonly LiveEvent[];
}

/** One chunk of a followed run log. */
export interface LogFrame {
  readonly instance: string;
  readonly attempt: number;
  readonly no: number;
  readonly firstLine: number;
  readonly text: string;
}

export type LiveListener = {
  /** Events in order, each exactly once, without a gap. */
  readonly onEvents: (frame: EventFrame) => void;
  /** What was missed cannot be had any more: load everything again. */
  readonly onReset: () => void;
};

export type LiveStatus = 'connecting' | 'live' | 'reconnecting' | 'polling' | 'paused';

/** What the pill in the top bar shows. */
export const useLiveStatus = create<{ status: LiveStatus; since: number }>(() => ({
  status: 'connecting',
  since: Date.now(),
}));

type Answer =
  | { ok: true; seq?: number; reset?: boolean; attempt?: number }
  | { ok: false; problem: Record<string, unknown> };

const POLL_AFTER_MS = 10_000;
const POLL_MS = 5_000;
const ANSWER_MS = 10_000;

/**
 * The events of one workspace, exactly once and in order, over everything that can happen to a socket:
 * a frame that does not begin where the last one ended asks again from there; a cut connection catches up
 * after it; when it does not come back within 10 s the REST route is asked each 5 s meanwhile; a hidden
 * tab leaves and catches up when it is seen again (engine rule 22).
 */
export class LiveWorkspace {
  readonly #socket: Socket;
  readonly #workspace: string;
  readonly #listeners = new Set<LiveListener>();
  readonly #logListeners = new Map<string, Set<(frame: LogFrame) => void>>();
  readonly #timer: ReturnType<typeof setInterval>;
  #seq: number | undefined;
  #isJoining = false;
  #isPolling = false;
  #lostAt = Date.now();

  constructor(workspace: string) {
    this.#workspace = workspace;
    // `ackTimeout` would make the client send a join twice: joins are asked again here instead.
    this.#socket = io('/rt', { transports: ['websocket'], reconnectionDelayMax: 5_000 });
    this.#socket.on('connect', () => void this.#join());
    this.#socket.on('disconnect', () => this.#lost());
    this.#socket.on('connect_error', () => this.#lost());
    this.#socket.on('events', (frame: EventFrame) => this.#receive(frame));
    this.#socket.on('log', (frame: LogFrame) => {
      for (const listener of this.#logListeners.get(frame.instance) ?? []) listener(frame);
    });
    document.addEventListener('visibilitychange', this.#onVisibility);
    this.#timer = setInterval(() => void this.#poll(), POLL_MS);
  }

  /** The socket itself, for tests that cut it. */
  get socket(): Socket {
    return this.#socket;
  }

  close(): void {
    clearInterval(this.#timer);
    document.removeEventListener('visibilitychange', this.#onVisibility);
    this.#socket.disconnect();
  }

  listen(listener: LiveListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Follows a run log from line `from` on; `attempt` is the epoch, the latest unless given. Frames may
   * repeat lines after a reconnect: go by `firstLine`.
   */
  followLog(
    wanted: { readonly instance: string; readonly attempt?: number; readonly from: () => number },
    onFrame: (frame: LogFrame) => void,
  ): () => void {
    const { instance, attempt, from } = wanted;
    const join = (): void => {
      const message = { instance, from: from(), ...(attempt === undefined ? {} : { attempt }) };
      this.#socket.emit('log:join', message, () => undefined);
    };
    const listeners = this.#logListeners.get(instance) ?? new Set();
    listeners.add(onFrame);
    this.#logListeners.set(instance, listeners);
    this.#socket.on('connect', join);
    if (this.#socket.connected) join();
    return () => {
      this.#socket.off('connect', join);
      listeners.delete(onFrame);
      if (listeners.size > 0) return;
      this.#logListeners.delete(instance);
      this.#socket.emit('log:leave', { instance }, () => undefined);
    };
  }

  async #join(): Promise<void> {
    if (this.#isJoining || document.hidden) return;
    this.#isJoining = true;
    try {
      const message = {
        workspace: this.#workspace,
        ...(this.#seq === undefined ? {} : { since: this.#seq }),
      };
      const answer = (await this.#socket.timeout(ANSWER_MS).emitWithAck('join', message)) as Answer;
      if (!answer.ok) return this.#lost();
      if (answer.reset === true) this.#reset(answer.seq ?? 0);
      this.#seq ??= answer.seq ?? 0;
      setStatus('live');
    } catch {
      this.#lost();
    } finally {
      this.#isJoining = false;
    }
  }

  #receive(frame: EventFrame): void {
    if (frame.workspace !== this.#workspace || this.#seq === undefined) {
      // The first frame can overtake the answer of the join that it follows.
      this.#seq ??= frame.workspace === this.#workspace ? frame.after : undefined;
      if (this.#seq === undefined) return;
    }
    if (frame.seq <= this.#seq) return;
    if (frame.after > this.#seq) return void this.#join();
    const events = frame.events.filter((event) => event.seq > (this.#seq ?? 0));
    const after = this.#seq;
    this.#seq = frame.seq;
    for (const listener of this.#listeners) listener.onEvents({ ...frame, after, events });
  }

  #reset(seq: number): void {
    this.#seq = seq;
    for (const listener of this.#listeners) listener.onReset();
  }

  #lost(): void {
    const { status } = useLiveStatus.getState();
    if (status === 'reconnecting' || status === 'polling') return;
    this.#lostAt = Date.now();
    if (!document.hidden) setStatus('reconnecting');
  }

  async #poll(): Promise<void> {
    const isLost = !this.#socket.connected || useLiveStatus.getState().status !== 'live';
    if (document.hidden || !isLost || this.#isPolling) return;
    if (this.#socket.connected) return void this.#join();
    if (Date.now() - this.#lostAt < POLL_AFTER_MS || this.#seq === undefined) return;
    this.#isPolling = true;
    try {
      const { data } = await fetchClient.GET('/api/v1/workspaces/{ws}/events', {
        params: { path: { ws: this.#workspace }, query: { since: this.#seq } },
      });
      if (data === undefined || this.#socket.connected) return;
      if (data.reset) this.#reset(data.seq);
      else this.#receive({ ...data, workspace: this.#workspace } as unknown as EventFrame);
      setStatus('polling');
    } catch {
      setStatus('reconnecting');
    } finally {
      this.#isPolling = false;
    }
  }

  readonly #onVisibility = (): void => {
    if (document.hidden) {
      this.#socket.emit('leave', { workspace: this.#workspace }, () => undefined);
      setStatus('paused');
    } else if (this.#socket.connected) {
      void this.#join();
    } else {
      setStatus('reconnecting');
    }
  };
}

function setStatus(status: LiveStatus): void {
  if (useLiveStatus.getState().status !== status)
    useLiveStatus.setState({ status, since: Date.now() });
}
