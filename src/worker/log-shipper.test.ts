import { gunzipSync } from 'node:zlib';

import { describe, expect, test } from '@jest/globals';

import { isGzip } from '../domain/log/is-gzip.js';
import type { LogChunk } from '../worker-link/worker-link.js';
import { LogShipper } from './log-shipper.js';

const ATTEMPT = { planDay: '2026-11-21', instanceId: 7, epoch: 1 };

function shipper(options: { maxBytes?: number; chunkBytes?: number; failures?: number } = {}): {
  log: LogShipper;
  sent: LogChunk[];
  text: () => string;
  /** As the report of the attempt carries it. */
  end: () => Promise<void>;
} {
  const { failures = 0, ...rest } = options;
  const sent: LogChunk[] = [];
  let left = failures;
  const log = new LogShipper({
    attempt: ATTEMPT,
    chunkMs: 5,
    now: () => new Date('2026-11-21T00:00:00Z'),
    send: (chunks) => {
      if (left-- > 0) return Promise.reject(new Error('the link is down'));
      sent.push(...chunks);
      return Promise.resolve();
    },
    ...rest,
  });
  const text = (): string =>
    sent
      .map(({ body }) => Buffer.from(body, 'base64'))
      .map((bytes) => (isGzip(bytes) ? gunzipSync(bytes) : bytes).toString('utf8'))
      .join('');
  const end = async (): Promise<void> => {
    for (const piece of await log.end()) sent.push({ ...ATTEMPT, ...piece });
  };
  return { log, sent, text, end };
}

describe('a run log on its way', () => {
  test('arrives whole and in order, in numbered chunks that count their lines', async () => {
    const { log, sent, text, end } = shipper({ chunkBytes: 16 });
    const lines = Array.from({ length: 50 }, (_, i) => `line ${i}\n`);
    for (const line of lines) await log.write(Buffer.from(line));
    await end();
    expect(text()).toBe(lines.join(''));
    expect(sent.map((chunk) => chunk.no)).toEqual(sent.map((_, i) => i));
    expect(sent.reduce((sum, chunk) => sum + chunk.lineCount, 0)).toBe(50);
    expect(sent.every((chunk) => chunk.byteCount <= 16)).toBe(true);
  });

  test('is zipped where that is worth it, and where its text looks as if it were', async () => {
    const texts = ['short\n', 'long '.repeat(200), '\u001f\u008b'];
    const bodies: boolean[] = [];
    for (const text of texts) {
      const { log, sent, end } = shipper();
      await log.write(Buffer.from(text, 'latin1'));
      await end();
      bodies.push(isGzip(Buffer.from(sent[0]?.body ?? '', 'base64')));
    }
    expect(bodies).toEqual([false, true, true]);
  });

  test('is sent while the attempt still writes, without waiting for a full chunk', async () => {
    const { log, text } = shipper();
    await log.write(Buffer.from('early\n'));
    for (let tries = 0; text() === '' && tries < 400; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(text()).toBe('early\n');
  });

  test('loses and doubles nothing while the link is down', async () => {
    const { log, sent, text, end } = shipper({ failures: 2 });
    await log.write(Buffer.from('a\n'));
    await end();
    expect(text()).toBe('a\n');
    expect(sent.map((chunk) => chunk.no)).toEqual([0]);
  });

  test('keeps head and tail when it is too long, and says how much is missing', async () => {
    const { log, text, end } = shipper({ maxBytes: 1000, chunkBytes: 100 });
    const lines = Array.from({ length: 400 }, (_, i) => `line ${String(i).padStart(4, '0')}\n`);
    for (const line of lines) await log.write(Buffer.from(line));
    await end();
    const all = text();
    expect(all.startsWith('line 0000\n')).toBe(true);
    expect(all.endsWith('line 0399\n')).toBe(true);
    const [, dropped] = /… (\d+) bytes of this log were left out here …/.exec(all) ?? [];
    const kept = all.replace(/\n… \d+ bytes of this log were left out here …\n/, '').length;
    expect(Number(dropped) + kept).toBe(4000);
  });

  test('is not sent on once the attempt is another worker’s', async () => {
    const { log, sent, end } = shipper({ failures: Number.POSITIVE_INFINITY });
    await log.write(Buffer.from('late\n'));
    log.abandon();
    await end();
    expect(sent).toEqual([]);
  });
});
