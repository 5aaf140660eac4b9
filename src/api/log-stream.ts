import { once } from 'node:events';
import { StringDecoder } from 'node:string_decoder';

import type { InstanceKey } from '../store/repositories/instance-repository.js';
import {
  bytesFromLine,
  cursorAtLine,
  isAttemptOver,
  latestEpoch,
  type LogSource,
  readLog,
} from '../store/repositories/log-repository.js';
import type { WakeBus } from '../store/wake-bus.js';
import type { HttpResponse } from './http.js';

const POLL_MS = 250;
const KEEP_ALIVE_MS = 15_000;

/** Which log, and from which line (from 0) on. */
export interface LogRange {
  readonly key: InstanceKey;
  readonly epoch: number | undefined;
  readonly from: number;
}

interface FollowPorts extends LogSource {
  readonly wakeBus: WakeBus;
}

/**
 * Sends the log as it is now, as text, a few chunks at a time: it may have 50 MB. The bytes are those of
 * the run, also where they are no UTF-8.
 */
export async function sendLog(
  source: LogSource,
  response: HttpResponse,
  { key, epoch, from }: LogRange,
): Promise<void> {
  response.status(200).type('text/plain; charset=utf-8');
  const { database } = source;
  let cursor = epoch === undefined ? undefined : await cursorAtLine(database, key, epoch, from);
  while (epoch !== undefined && cursor !== undefined && !response.destroyed) {
    const read = await readLog(source, key, epoch, cursor);
    for (const chunk of read.chunks) await writeTo(response, bytesFromLine(chunk, from));
    cursor = read.chunks.length === 0 ? undefined : read.cursor;
  }
  response.end();
}

/**
 * Sends the log as server-sent events, one for each line, until the attempt is over and its log is out;
 * then one `end` event. The id of an event is the number of the line after it.
 */
export async function followLog(
  ports: FollowPorts,
  response: HttpResponse,
  range: LogRange,
): Promise<void> {
  const { database, wakeBus } = ports;
  response.status(200).type('text/event-stream; charset=utf-8');
  response.setHeader('X-Accel-Buffering', 'no');
  response.flushHeaders();
  const keepAlive = setInterval(() => response.write(': still here\n\n'), KEEP_ALIVE_MS);
  try {
    let epoch = range.epoch;
    while (epoch === undefined && !response.destroyed) {
      epoch = await latestEpoch(database, range.key);
      if (epoch === undefined) await nextLook(wakeBus, response);
    }
    if (epoch !== undefined) await followAttempt(ports, response, { ...range, epoch });
    if (!response.destroyed) response.end('event: end\ndata:\n\n');
  } finally {
    clearInterval(keepAlive);
  }
}

async function followAttempt(
  ports: FollowPorts,
  response: HttpResponse,
  { key, epoch, from }: LogRange & { readonly epoch: number },
): Promise<void> {
  const { database, wakeBus } = ports;
  let cursor = await cursorAtLine(database, key, epoch, from);
  let line = from;
  let rest = '';
  const decoder = new StringDecoder('utf8');
  while (!response.destroyed) {
    // Asked before the read: chunks that came before the end are then in what is read.
    const isOver = await isAttemptOver(database, key, epoch);
    const read = await readLog(ports, key, epoch, cursor);
    cursor = read.cursor;
    const text = read.chunks.map((chunk) => decoder.write(bytesFromLine(chunk, from))).join('');
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const content of lines) await writeTo(response, eventOf(++line, content));
    if (read.chunks.length > 0) continue;
    if (isOver) {
      rest += decoder.end();
      if (rest !== '') await writeTo(response, eventOf(++line, rest));
      return;
    }
    await nextLook(wakeBus, response);
  }
}

function eventOf(id: number, line: string): string {
  // A carriage return would end the field: progress bars of child processes are full of them.
  return `id: ${id}\ndata: ${line.replaceAll('\r', '␍')}\n\n`;
}

/** Writes, and waits until there is room for more or nobody listens any longer. */
export async function writeTo(response: HttpResponse, data: string | Buffer): Promise<void> {
  if (data.length === 0 || response.destroyed || response.write(data)) return;
  await Promise.race([once(response, 'drain'), once(response, 'close')]);
}

async function nextLook(wakeBus: WakeBus, response: HttpResponse): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      unsubscribe();
      response.off('close', done);
      resolve();
    };
    const timer = setTimeout(done, POLL_MS);
    const unsubscribe = wakeBus.subscribe('news', done);
    response.once('close', done);
  });
}
