import { describe, expect, test } from '@jest/globals';

import { MillraceError } from '../domain/errors.js';
import { CallGatherer } from './call-gatherer.js';

function gatherer(send: (items: readonly string[]) => Promise<void>): CallGatherer<string, void> {
  return new CallGatherer({ send, maxWeight: 3, weightOf: (item) => item.length });
}

describe('what attempts of a worker say', () => {
  test('goes at once when nothing is on its way, and together when something is', async () => {
    const calls: string[][] = [];
    let answer: () => void = () => undefined;
    const calling = gatherer(async (items) => {
      calls.push([...items]);
      if (calls.length === 1) await new Promise<void>((resolve) => (answer = resolve));
    });
    const first = calling.send('a');
    await new Promise(setImmediate);
    const others = ['b', 'c', 'd', 'e'].map((item) => calling.send(item));
    await new Promise(setImmediate);
    expect(calls).toEqual([['a']]);
    answer();
    await Promise.all([first, ...others]);
    expect(calls).toEqual([['a'], ['b', 'c', 'd'], ['e']]);
  });

  test('is sent alone when it weighs more than a call may', async () => {
    const calls: string[][] = [];
    const calling = gatherer((items) => {
      calls.push([...items]);
      return Promise.resolve();
    });
    await Promise.all(['long one', 'b'].map((item) => calling.send(item)));
    expect(calls).toEqual([['long one'], ['b']]);
  });

  test('fails for the one that is refused, not for those that were sent with it', async () => {
    const calling = gatherer((items) =>
      items.includes('x')
        ? Promise.reject(new MillraceError('MR-A101', 'not storable'))
        : Promise.resolve(),
    );
    const settled = await Promise.allSettled(['a', 'x', 'b'].map((item) => calling.send(item)));
    expect(settled.map((each) => each.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  test('fails for all when the link is away, and goes on with what comes later', async () => {
    let isAway = true;
    let calls = 0;
    const calling = gatherer(() => {
      calls++;
      return isAway ? Promise.reject(new Error('fetch failed')) : Promise.resolve();
    });
    const settled = await Promise.allSettled(['a', 'b'].map((item) => calling.send(item)));
    expect(settled.map((each) => each.status)).toEqual(['rejected', 'rejected']);
    expect(calls).toBe(1);
    isAway = false;
    await calling.send('c');
  });
});
