import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { io } from 'socket.io-client';

import { leftOutLine, LOG_HEAD_BYTES } from '../../../src/domain/log/left-out.js';
import { runSearch } from '../../../src/api/log-search/run-search.js';
import { FolderLogStore } from '../../../src/store/log-store.js';
import { archiveLogs } from '../../../src/store/sql/archive-logs.sql.js';
import { openApi, type TestApi } from '../../support/api.js';
import { openRunLog, type RunLog } from '../../support/run-log.js';
import { seeded, testSeed } from '../../support/seeded.js';

interface Hit {
  readonly line: number;
  readonly ranges: readonly [number, number][];
  readonly text: string;
}
type Frame =
  | { readonly hit: Hit }
  | { readonly scannedLines: number; readonly totalLines: number }
  | {
      readonly done: true;
      readonly count: number;
      readonly limited: boolean;
      readonly scannedLines: number;
    };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-logs-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const pathOf = ({ instance }: RunLog): string => `/api/v1/instances/${instance}/log`;

async function lines(api: TestApi, log: RunLog, query: string): Promise<Record<string, unknown>> {
  const answer = await api.send('GET', `${pathOf(log)}/lines?${query}`);
  expect([answer.status, answer.text.slice(0, 300)]).toEqual([200, expect.anything()]);
  return answer.json;
}

async function search(
  api: TestApi,
  log: RunLog,
  query: string,
): Promise<{ hits: Hit[]; count: number; limited: boolean; scannedLines: number }> {
  const answer = await api.send('GET', `${pathOf(log)}/search?${query}`);
  expect(answer.headers.get('content-type')).toMatch(/^application\/x-ndjson/);
  const frames = answer.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Frame);
  const last = frames.pop();
  if (last === undefined || !('done' in last))
    throw new Error(`the end is missing: ${answer.text}`);
  const hits = frames.flatMap((frame) => ('hit' in frame ? [frame.hit] : []));
  return { hits, ...last };
}

describe('a window of a run log', () => {
  test('has whole lines, whatever the chunks have cut, also when they have moved to the log store', async () => {
    const logStore = new FolderLogStore(folder);
    await using api = await openApi({ logStore });
    const log = await openRunLog(api, { chunkBytes: 7 });
    const text = Array.from({ length: 300 }, (_, i) => `第${i}行 数据 ${'x'.repeat(i % 11)}`);
    await log.write(`${text.join('\n')}\nno end`);
    await log.end();
    const all = [...text, 'no end'];
    for (const round of ['rows', 'objects']) {
      if (round === 'objects')
        expect(await archiveLogs(api.database, logStore, -60_000, 10)).toBe(1);
      for (const [from, count] of [
        [0, 5000],
        [0, 1],
        [17, 20],
        [299, 10],
        [300, 1],
      ] as const)
        expect(await lines(api, log, `from=${from}&count=${count}`)).toMatchObject({
          attempt: 1,
          firstLine: from,
          lines: all.slice(from, from + count),
          totalLines: 301,
          totalBytes: Buffer.byteLength(all.join('\n')),
          isOver: true,
          truncated: null,
          cut: [],
        });
      expect(await lines(api, log, 'from=-3')).toMatchObject({
        firstLine: 298,
        lines: all.slice(-3),
      });
      expect(await lines(api, log, 'from=-9999&count=2')).toMatchObject({ firstLine: 0 });
      expect(await lines(api, log, 'from=9999')).toMatchObject({ firstLine: 301, lines: [] });
    }
  });

  test('counts the line that is being written, and says when no more will come', async () => {
    await using api = await openApi();
    const log = await openRunLog(api);
    expect(await lines(api, log, '')).toMatchObject({ totalLines: 0, lines: [], isOver: false });
    await log.write('one\ntw');
    await until(async () => (await lines(api, log, '')).totalLines === 2);
    expect(await lines(api, log, '')).toMatchObject({ lines: ['one', 'tw'], isOver: false });
    await log.write('o\n');
    await log.end();
    expect(await lines(api, log, '')).toMatchObject({ lines: ['one', 'two'], isOver: true });
    expect(await lines(api, log, 'attempt=9')).toMatchObject({ attempt: 9, totalLines: 0 });
    for (const query of ['count=0', 'count=5001', 'from=x', 'colour=red'])
      expect((await api.send('GET', `${pathOf(log)}/lines?${query}`)).status).toBe(400);
  });

  test('says which lines it had to cut and where the middle of the log is missing', async () => {
    await using api = await openApi();
    const log = await openRunLog(api);
    const long = 'y'.repeat(1023);
    const block = `${long}\n`.repeat(1024);
    for (let mb = 0; mb < 60; mb++) await log.write(block);
    await log.write(`${'z'.repeat(100_000)}\nlast`);
    await log.end();
    const tail = await lines(api, log, 'from=-2');
    expect(tail).toMatchObject({ cut: [{ length: 100_000 }] });
    const [cut, last] = tail['lines'] as string[];
    expect([cut?.length, last]).toEqual([65_536, 'last']);
    const { line, bytes } = tail['truncated'] as { line: number; bytes: number };
    expect(line).toBeGreaterThan(LOG_HEAD_BYTES / 1024 - 1);
    expect(await lines(api, log, `from=${line}&count=1`)).toMatchObject({
      lines: [leftOutLine(bytes)],
    });
    // 4 M characters, not 5,000 lines of 1 KB.
    const wide = await lines(api, log, 'count=5000');
    expect((wide['lines'] as string[]).length).toBe(4101);
  });
});

describe('a run log as text', () => {
  test('is byte for byte what the run wrote, and a file when it is asked for as one', async () => {
    await using api = await openApi();
    const log = await openRunLog(api, { chunkBytes: 3 });
    const bytes = Buffer.concat([Buffer.from('数据\r\n'), Buffer.from([0xff, 0xfe, 10, 0xe6])]);
    await log.write(bytes);
    await log.end();
    const response = await fetch(`${api.url}${pathOf(log)}?download=1`, {
      headers: { authorization: `Bearer ${api.token('visitor')}` },
    });
    expect(response.headers.get('content-disposition')).toBe(
      `attachment; filename="${log.instance}-1.log"`,
    );
    expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes);
  });

  test('has whole characters when it is followed, over HTTP and in a room', async () => {
    await using api = await openApi();
    const log = await openRunLog(api, { chunkBytes: 4 });
    const socket = io(`${api.url}/rt`, {
      transports: ['websocket'],
      auth: { token: api.token('visitor') },
      forceNew: true,
    });
    const frames: { no: number; text: string }[] = [];
    socket.on('log', (frame: { no: number; text: string }) => frames.push(frame));
    await log.write('已经写了');
    await until(
      () => Promise.resolve(frames.length > 0),
      async () => {
        await socket.emitWithAck('log:join', { instance: log.instance });
      },
    );
    const late = io(`${api.url}/rt`, {
      transports: ['websocket'],
      auth: { token: api.token('visitor') },
      forceNew: true,
    });
    const lateFrames: { no: number; text: string }[] = [];
    late.on('log', (frame: { no: number; text: string }) => lateFrames.push(frame));
    await late.emitWithAck('log:join', { instance: log.instance });
    const following = api.send('GET', `${pathOf(log)}?follow=1`);
    await log.write('一半，还有另一半😀\n');
    await log.end();
    const whole = '已经写了一半，还有另一半😀';
    expect((await following).text).toContain(`data: ${whole}\n`);
    const textOf = (all: typeof frames): string => all.map(({ text }) => text).join('');
    await until(() => Promise.resolve(textOf(lateFrames).endsWith('\n')));
    expect([textOf(frames), textOf(lateFrames)]).toEqual([`${whole}\n`, `${whole}\n`]);
    socket.close();
    late.close();
  });
});

const WORDS = [
  'orders',
  'Zürich',
  '行一行二',
  'MR-D201',
  'PAYMENTS',
  'shipments',
  '\u001b[31mred\u001b[0m',
];

/** Lines of words and numbers; some are empty, some longer than many chunks. */
function randomLog(below: (limit: number) => number, lineCount: number): Buffer {
  const word = (): string => WORDS[below(WORDS.length)] ?? '';
  const line = (): string => {
    const kind = below(100);
    if (kind === 0) return '';
    if (kind === 1) return `${word()}-`.repeat(below(3000));
    return `${below(1e9)} ${word()} table_${below(500)} ${word()}${below(1e6)}`;
  };
  return Buffer.from(Array.from({ length: lineCount }, line).join('\n'));
}

/** A piece of the visible text, now and then in capitals or with something changed. */
function randomQuery(text: Buffer, below: (limit: number) => number): string {
  // oxlint-disable-next-line no-control-regex -- the sequences that the log is written with
  const visible = text.toString('utf8').replace(/\u001b\[\d+m/g, '');
  const at = below(visible.length - 40);
  const piece = visible.slice(at, at + 4 + below(24)).split('\n')[0] || 'orders';
  const needle = below(4) === 0 ? piece.toUpperCase() : below(4) === 0 ? `${piece}#` : piece;
  return `q=${encodeURIComponent(needle)}${below(2) === 0 ? '&case=1' : ''}&limit=1000`;
}

describe('a search of a run log', () => {
  test('finds words, expressions and levels, in rows and in the log store', async () => {
    const logStore = new FolderLogStore(folder);
    await using api = await openApi({ logStore });
    const log = await openRunLog(api, { chunkBytes: 100 });
    for (let i = 0; i < 500; i++)
      await log.write(
        `2026-11-21T00:00:00.000Z ${i % 50 === 7 ? 'ERROR' : 'INFO '} \x1b[3${i % 8}mRow\x1b[0m ${i} 数据\r\n`,
      );
    await log.end();
    for (const round of ['rows', 'objects']) {
      if (round === 'objects')
        expect(await archiveLogs(api.database, logStore, -60_000, 10)).toBe(1);
      expect(await search(api, log, 'q=row%20123')).toEqual({
        done: true,
        hits: [
          { line: 123, ranges: [[31, 38]], text: '2026-11-21T00:00:00.000Z INFO  Row 123 数据' },
        ],
        count: 1,
        limited: false,
        scannedLines: 500,
      });
      expect(await search(api, log, 'q=row%20123&case=1')).toMatchObject({ count: 0, hits: [] });
      const errors = await search(api, log, 'level=error');
      expect(errors.hits.map(({ line }) => line)).toEqual([
        7, 57, 107, 157, 207, 257, 307, 357, 407, 457,
      ]);
      const some = await search(api, log, `q=${encodeURIComponent('row \\d7 ')}&regex=1&limit=3`);
      expect(some).toMatchObject({ count: 9, limited: true });
      expect(some.hits.map(({ line }) => line)).toEqual([17, 27, 37]);
      expect(await search(api, log, 'q=数据&limit=0')).toMatchObject({ count: 500, hits: [] });
    }
  });

  test('finds the same with the filters of the chunks as without, and looks at less', async () => {
    const seed = testSeed();
    console.info(`log filters: MILLRACE_TEST_SEED=${seed}`);
    const next = seeded(seed);
    const below = (limit: number): number => Math.floor(next() * limit);
    await using api = await openApi();
    const log = await openRunLog(api, { chunkBytes: 2048, filterFromBytes: 10_000 });
    const text = randomLog(below, 3000);
    // Cut anywhere, as a pipe does it.
    for (let at = 0; at < text.length;) {
      const end = at + 1 + below(3000);
      await log.write(text.subarray(at, end));
      at = end;
    }
    await log.end();
    const [{ filters } = { filters: 0 }] = await api.database.rows<{ filters: number }>(
      'SELECT count(grams)::int AS filters FROM log_chunk',
    );
    expect(filters).toBeGreaterThan(50);
    const queries = Array.from({ length: 30 }, () => randomQuery(text, below));
    const filtered = [];
    for (const query of queries) filtered.push(await search(api, log, query));
    await api.database.run('UPDATE log_chunk SET grams = NULL');
    for (const [i, query] of queries.entries())
      expect([query, filtered[i]]).toEqual([query, await search(api, log, query)]);
    expect(filtered.filter(({ count }) => count > 0).length).toBeGreaterThan(10);
  });

  test('leaves out what cannot hold a hit: chunks that have lost their object are not missed', async () => {
    await using api = await openApi({ logStore: new FolderLogStore(join(folder, 'logs')) });
    const log = await openRunLog(api, { chunkBytes: 2048, filterFromBytes: 0 });
    for (let i = 0; i < 2000; i++) await log.write(`line ${i} of many\n`);
    await log.write('the needle is here\n');
    await log.end();
    await api.database.run(`UPDATE log_chunk SET body = 'no gzip' WHERE no BETWEEN 6 AND 10`);
    const found = await search(api, log, 'q=the%20needle');
    expect(found).toMatchObject({ count: 1, scannedLines: 2001, hits: [{ line: 2000 }] });
    const failed = await api.send('GET', `${pathOf(log)}/search?q=line`);
    expect(failed.text).toContain('"problem"');
  });

  test('is empty for an instance without an attempt, and only for those who may see it', async () => {
    await using api = await openApi();
    const log = await openRunLog(api);
    await api.database.run('DELETE FROM attempt');
    expect(await search(api, log, 'q=x')).toMatchObject({ count: 0, scannedLines: 0 });
    const path = `${pathOf(log)}/search?q=x`;
    expect(await api.send('GET', path, { as: 'security_manager' })).toMatchObject({ status: 403 });
    expect(await api.send('GET', path, { as: 'nobody' })).toMatchObject({ status: 401 });
  });

  test('refuses what it cannot look for before it answers', async () => {
    await using api = await openApi();
    const log = await openRunLog(api);
    for (const query of ['', 'q=', 'q=a%0Ab', 'q=(&regex=1', 'q=x&limit=10001', 'level=loud'])
      expect([query, (await api.send('GET', `${pathOf(log)}/search?${query}`)).json]).toMatchObject(
        [
          query,
          { code: 'MR-A101', errors: [{ pointer: expect.stringMatching(/^\/(q|limit|level)$/) }] },
        ],
      );
  });

  test('ends an expression that would never end, while the api answers others', async () => {
    await using api = await openApi();
    const log = await openRunLog(api);
    await log.write(`fine\n${'a'.repeat(60)}!\n`);
    await log.end();
    const endless = {
      text: '^(a+)+$',
      isRegex: true,
      isCaseSensitive: true,
      level: undefined,
      limit: 1,
    };
    const running = (async () => {
      const found = runSearch({ database: api.database }, log, endless, 500);
      for await (const piece of found) expect(piece.count).toBe(0);
    })();
    const refused = expect(running).rejects.toMatchObject({ code: 'MR-A113' });
    expect((await api.send('GET', '/healthz')).status).toBe(200);
    await refused;
  });

  test('ends with the client that asked for it', async () => {
    await using api = await openApi();
    const log = await openRunLog(api);
    await log.write(`${'a'.repeat(60)}!\n`);
    await log.end();
    const path = `${pathOf(log)}/search?regex=1&q=${encodeURIComponent('^(a+)+$')}`;
    const threads = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;
    const before = threads();
    const away = new AbortController();
    // More than run at once: those that wait leave as well.
    const asked = Array.from({ length: 6 }, () =>
      fetch(api.url + path, {
        headers: { authorization: `Bearer ${api.token('visitor')}` },
        signal: away.signal,
      }),
    );
    await Promise.all(asked);
    await until(() => Promise.resolve(threads() > before));
    away.abort();
    await until(() => Promise.resolve(threads() <= before));
    expect(await search(api, log, 'q=aaa')).toMatchObject({ count: 1 });
  });
});

async function until(
  isTrue: () => Promise<boolean>,
  first: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    await first();
    if (await isTrue()) return;
    if (performance.now() > deadline) throw new Error('it did not happen within 20 s');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
