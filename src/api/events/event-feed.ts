import type { Database } from '../../store/database.js';
import { eventsAfter, latestSeq, oldestSince } from '../../store/repositories/event-repository.js';
import { type EventView, eventView } from './event-view.js';

const PAGE = 1_000;

/** Every event of the workspace with `after` < seq <= `seq`. The next frame's `after` is this one's `seq`. */
export interface EventFrame {
  readonly after: number;
  readonly seq: number;
  readonly events: readonly EventView[];
}

interface Room {
  readonly workspaceId: number;
  readonly workspace: string;
}

/**
 * Reads the event table once for all rooms. Numbers are those of the installation, so a workspace sees
 * gaps between its events; a frame says which range it covers, and every room gets every range, also an
 * empty one: that is how a client knows that it has missed nothing. Not safe for calls that overlap.
 */
export class EventFeed {
  readonly #database: Database;
  readonly #rooms = new Map<string, Room>();
  #head = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  get isIdle(): boolean {
    return this.#rooms.size === 0;
  }

  open(workspaceId: number, room: string, workspace: string): void {
    this.#rooms.set(room, { workspaceId, workspace });
  }

  close(room: string): void {
    this.#rooms.delete(room);
  }

  /** Sends what the joining client has missed since `since`; after it the client stands where the rooms stand. */
  async catchUp(
    workspaceId: number,
    since: number | undefined,
    send: (frame: EventFrame) => void,
  ): Promise<{ readonly seq: number; readonly reset: boolean }> {
    if (this.isIdle) this.#head = await latestSeq(this.#database);
    const upTo = this.#head;
    if (since === undefined) return { seq: upTo, reset: false };
    // Removed with their day, or numbers of another database: the client must load its lists again.
    if (since < (await oldestSince(this.#database)) || since > (await latestSeq(this.#database)))
      return { seq: upTo, reset: true };
    let after = since;
    while (after < upTo) {
      const range = { workspaceId, since: after, upTo, limit: PAGE };
      const events = await eventsAfter(this.#database, range);
      const seq = events.length < PAGE ? upTo : (events.at(-1)?.seq ?? upTo);
      send({ after, seq, events: events.map(eventView) });
      after = seq;
    }
    return { seq: upTo, reset: false };
  }

  /** Sends what is new to every room, and says whether there was anything. */
  async deliver(
    send: (room: string, frame: EventFrame & { readonly workspace: string }) => void,
  ): Promise<boolean> {
    if (this.isIdle) return false;
    // Read once: what comes while these are on their way is for the next frame.
    const head = await latestSeq(this.#database);
    const isNew = head > this.#head;
    while (this.#head < head) {
      const after = this.#head;
      const seq = Math.min(head, after + PAGE);
      const events = await eventsAfter(this.#database, {
        workspaceId: undefined,
        since: after,
        upTo: seq,
        limit: PAGE,
      });
      for (const [room, { workspaceId, workspace }] of this.#rooms) {
        const own = events.filter((event) => event.workspaceId === workspaceId).map(eventView);
        send(room, { workspace, after, seq, events: own });
      }
      this.#head = seq;
    }
    return isNew;
  }
}
