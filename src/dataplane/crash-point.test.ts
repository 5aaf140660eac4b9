import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { crashPlanOf, crashPointsOf } from './crash-point.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-crash-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('a crash point', () => {
  const planOf = (points: string) =>
    crashPlanOf({ MILLRACE_CRASH_POINTS: points, MILLRACE_CRASH_LOG: join(folder, 'hits') });

  test('does nothing without a plan or when the plan does not name it', async () => {
    expect(crashPlanOf({})).toBeUndefined();
    await crashPointsOf(undefined)('a');
    await crashPointsOf(planOf('b=kill'))('a');
    expect(existsSync(join(folder, 'hits'))).toBe(false);
  });

  test('pauses at the hit it names, counted over all who write to the same log', async () => {
    const first = crashPointsOf(planOf('a:b=pause@3'));
    const second = crashPointsOf(planOf('a:b=pause@3'));
    await first('a:b');
    await second('a:b');
    let isThrough = false;
    const parked = first('a:b').then(() => (isThrough = true));
    const hold = join(folder, 'hits.a:b.paused');
    expect(await readFile(hold, 'utf8')).toBe('paused:a:b\n');
    await sleep(60);
    expect(isThrough).toBe(false);
    await unlink(hold);
    await parked;
    await second('a:b');
    const hits = await readFile(join(folder, 'hits'), 'utf8');
    expect(hits.match(/^a:b pause /gm)).toHaveLength(4);
  });

  test('counts each instance at its first hit alone when it is told to', async () => {
    const point = crashPointsOf(planOf('a=pause@#1+3'));
    const hold = join(folder, 'hits.a.paused');
    const isParked = async (instance: string): Promise<boolean> => {
      const passed = point('a', instance);
      const parked = existsSync(hold);
      if (parked) await unlink(hold);
      await passed;
      return parked;
    };
    expect(await isParked('i1')).toBe(true);
    expect(await isParked('i1')).toBe(false);
    expect(await isParked('i2')).toBe(false);
    expect(await isParked('i1')).toBe(false);
    expect(await isParked('i3')).toBe(true);
    expect(await isParked('i3')).toBe(false);
  });

  test('counts each instance at the hit of its own that it is told', async () => {
    const point = crashPointsOf(planOf('a=pause@#2/2'));
    const hold = join(folder, 'hits.a.paused');
    const isParked = async (instance: string): Promise<boolean> => {
      const passed = point('a', instance);
      const parked = existsSync(hold);
      if (parked) await unlink(hold);
      await passed;
      return parked;
    };
    const parked: boolean[] = [];
    for (const instance of ['i1', 'i2', 'i1', 'i2', 'i2']) parked.push(await isParked(instance));
    expect(parked).toEqual([false, false, false, true, false]);
  });

  test('refuses a plan that cannot be read', () => {
    expect(() => planOf('a=explode')).toThrow('is not name=kill|pause');
    expect(() => crashPlanOf({ MILLRACE_CRASH_POINTS: 'a=kill' })).toThrow('MILLRACE_CRASH_LOG');
  });
});
