import { describe, expect, test } from '@jest/globals';

import { Loop } from './loop.js';

const REST_MS = 3_600_000;

const clock = { now: () => new Date('2026-11-21T00:00:00Z') };

function loopOf(round: () => Promise<'again' | number>, warned: string[] = []): Loop {
  return new Loop({
    name: 'test',
    round,
    clock,
    logger: { warn: (_, text) => warned.push(text) },
  });
}

describe('a loop', () => {
  test('works on while there is more, then rests until it is woken', async () => {
    let rounds = 0;
    let arrive: () => void = () => undefined;
    const loop = loopOf(() => {
      rounds++;
      arrive();
      return Promise.resolve(rounds < 3 ? 'again' : REST_MS);
    });
    const third = new Promise<void>((resolve) => {
      arrive = () => (rounds === 3 ? resolve() : undefined);
    });
    loop.start();
    await third;
    expect(loop.lastSuccessAt === undefined || rounds === 3).toBe(true);
    const fourth = new Promise<void>((resolve) => {
      arrive = () => (rounds === 4 ? resolve() : undefined);
    });
    loop.wake();
    await fourth;
    await loop.stop();
    expect(rounds).toBe(4);
    expect(loop.lastSuccessAt).toEqual(clock.now());
  });

  test('a wake-up during a round is not lost', async () => {
    let rounds = 0;
    const loop: Loop = loopOf(() => {
      rounds++;
      if (rounds === 1) loop.wake();
      return Promise.resolve(REST_MS);
    });
    loop.start();
    while (rounds < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    await loop.stop();
    expect(rounds).toBe(2);
  });

  test('a round that fails is tried again, and said', async () => {
    const warned: string[] = [];
    let rounds = 0;
    const loop = loopOf(() => {
      rounds++;
      return rounds === 1 ? Promise.reject(new Error('no database')) : Promise.resolve(REST_MS);
    }, warned);
    loop.start();
    while (rounds < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    await loop.stop();
    expect(warned).toHaveLength(1);
  });

  test('woken again and again it keeps its pace, and ends it when it is stopped', async () => {
    let rounds = 0;
    const loop = new Loop({
      name: 'test',
      round: () => {
        rounds++;
        return Promise.resolve(REST_MS);
      },
      paceMs: REST_MS,
      clock,
      logger: { warn: () => undefined },
    });
    loop.start();
    for (let times = 0; times < 10; times++) {
      loop.wake();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(rounds).toBe(1);
    await loop.stop();
    expect(rounds).toBe(1);
  });

  test('stopping ends a rest at once', async () => {
    let rounds = 0;
    const loop = loopOf(() => {
      rounds++;
      return Promise.resolve(REST_MS);
    });
    loop.start();
    while (rounds < 1) await new Promise((resolve) => setTimeout(resolve, 1));
    await loop.stop();
    expect(rounds).toBe(1);
  });
});
