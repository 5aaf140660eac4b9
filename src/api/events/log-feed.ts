import { StringDecoder } from 'node:string_decoder';

import { MillraceError } from '../../domain/errors.js';
import type { InstanceKey } from '../../store/repositories/instance-repository.js';
import {
  cursorAtLine,
  latestEpoch,
  type LogChunk,
  type LogCursor,
  type LogSource,
  readLog,
} from '../../store/repositories/log-repository.js';

/**
 * One chunk of a run log; `no` counts up without gaps within an attempt. A character that a chunk cuts
 * comes whole with the frame after it.
 */
export interface LogFrame {
  readonly instance: string;
  readonly attempt: number;
  readonly no: number;
  readonly firstLine: number;
  readonly text: string;
}

interface Room {
  readonly instance: string;
  readonly key: InstanceKey;
  readonly epoch: number;
  cursor: LogCursor;
  /** Holds the beginning of a character that the last chunk has cut. */
  readonly decoder: StringDecoder;
}

/** Reads each followed run log once for all who follow it. Not safe for calls that overlap. */
export class LogFeed {
  readonly #source: LogSource;
  readonly #rooms = new Map<string, Room>();

  constructor(source: LogSource) {
    this.#source = source;
  }

  get isIdle(): boolean {
    return this.#rooms.size === 0;
  }

  close(room: string): void {
    this.#rooms.delete(room);
  }

  /** Sends the log from line `from` (its chunk) on; after it the client stands where the room stands. */
  async open(
    wanted: {
      readonly instance: string;
      readonly key: InstanceKey;
      readonly epoch: number | undefined;
      readonly from: number;
    },
    send: (frame: LogFrame) => void,
  ): Promise<{ readonly room: string; readonly epoch: number }> {
    const { instance, key } = wanted;
    const epoch = wanted.epoch ?? (await latestEpoch(this.#source.database, key));
    if (epoch === undefined) throw new MillraceError('MR-A104', `${instance} has no attempt yet`);
    const name = `log:${instance}:${epoch}`;
    let cursor = await cursorAtLine(this.#source.database, key, epoch, wanted.from);
    const standing = this.#rooms.get(name)?.cursor.no;
    const decoder = new StringDecoder('utf8');
    for (;;) {
      const read = await readLog(this.#source, key, epoch, cursor);
      const own = read.chunks.filter(({ no }) => standing === undefined || no <= standing);
      for (const chunk of own) send(frameOf(instance, epoch, chunk, decoder));
      if (standing === undefined) cursor = read.cursor;
      if (own.length === 0 || own.length < read.chunks.length) break;
      cursor = read.cursor;
    }
    if (standing === undefined) this.#rooms.set(name, { instance, key, epoch, cursor, decoder });
    return { room: name, epoch };
  }

  async deliver(send: (room: string, frame: LogFrame) => void): Promise<void> {
    for (const [name, room] of this.#rooms) {
      const { instance, key, epoch, decoder } = room;
      for (;;) {
        const { chunks, cursor } = await readLog(this.#source, key, epoch, room.cursor);
        if (chunks.length === 0) break;
        for (const chunk of chunks) send(name, frameOf(instance, epoch, chunk, decoder));
        room.cursor = cursor;
      }
    }
  }
}

function frameOf(
  instance: string,
  attempt: number,
  { no, firstLine, bytes }: LogChunk,
  decoder: StringDecoder,
): LogFrame {
  return { instance, attempt, no, firstLine, text: decoder.write(bytes) };
}
