import { expect, test } from '@jest/globals';

import { type LoadLines, LogWindow } from './log-window.ts';

function server(lines: string[]): { asked: [number, number][]; load: LoadLines } {
  const asked: [number, number][] = [];
  return {
    asked,
    load: async (from, count) => {
      asked.push([from, count]);
      const firstLine = from < 0 ? Math.max(0, lines.length + from) : Math.min(from, lines.length);
      return {
        firstLine,
        // An answer may be shorter than what was asked for.
        lines: lines.slice(firstLine, firstLine + Math.min(count, 300)),
        cut: [],
        totalLines: lines.length,
        totalBytes: 0,
        isOver: false,
        truncated: null,
      };
    },
  };
}

async function shown(log: LogWindow, first: number, last: number): Promise<(string | undefined)[]> {
  for (let i = 0; i < 20; i++) {
    log.want(first, last);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return Array.from({ length: last - first + 1 }, (_, i) => log.line(first + i));
}

test('lines in view are loaded once, also when an answer brings fewer', async () => {
  const lines = Array.from({ length: 5000 }, (_, i) => `line ${i}`);
  const { asked, load } = server(lines);
  const log = new LogWindow(load);
  await log.refresh();
  expect(await shown(log, 990, 1010)).toEqual(lines.slice(990, 1011));
  const before = asked.length;
  expect(await shown(log, 990, 1010)).toEqual(lines.slice(990, 1011));
  expect(asked.length).toBe(before);
});

test('a line that was being written is read again', async () => {
  const lines = ['one', 'tw'];
  const log = new LogWindow(server(lines).load);
  await log.refresh();
  lines.splice(1, 1, 'two', 'three');
  await log.refresh();
  expect(await shown(log, 0, 2)).toEqual(['one', 'two', 'three']);
});

test('of a long log only the last seen lines are kept', async () => {
  const lines = Array.from({ length: 100_000 }, (_, i) => `line ${i}`);
  const log = new LogWindow(server(lines).load);
  await log.refresh();
  for (let no = 0; no < 100_000; no += 500) await shown(log, no, no + 10);
  expect(log.line(0)).toBeUndefined();
  expect(log.line(99_500)).toBe('line 99500');
});

test('a refusal is not asked for again until somebody says so', async () => {
  let isDown = true;
  let asked = 0;
  const { load } = server(['one']);
  const log = new LogWindow((from, count) => {
    asked++;
    return isDown ? Promise.reject(new Error('down')) : load(from, count);
  });
  await log.refresh();
  expect(log.error).toEqual(new Error('down'));
  await shown(log, 0, 1);
  expect(asked).toBe(1);
  isDown = false;
  await log.refresh();
  expect([log.error, log.line(0)]).toEqual([undefined, 'one']);
});
