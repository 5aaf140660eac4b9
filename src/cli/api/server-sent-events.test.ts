import { expect, test } from '@jest/globals';

import { serverSentEvents, type ServerSentEvent } from './server-sent-events.js';

async function eventsOf(pieces: readonly Uint8Array[]): Promise<ServerSentEvent[]> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });
  const events: ServerSentEvent[] = [];
  for await (const event of serverSentEvents(body)) events.push(event);
  return events;
}

const STREAM =
  ': hello\r\n\r\nid: 2\r\ndata: 行一\r\ndata: two\r\n\r\nevent: end\ndata: {}\n\ndata: cut';

test('an event stream reads the same however the network cuts it', async () => {
  const bytes = new TextEncoder().encode(STREAM);
  const whole = await eventsOf([bytes]);
  expect(whole).toEqual([
    { event: 'message', data: '行一\ntwo', id: '2' },
    { event: 'end', data: '{}', id: '2' },
  ]);
  for (let size = 1; size <= 7; size++) {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.slice(at, at + size));
    expect(await eventsOf(pieces)).toEqual(whole);
  }
});
